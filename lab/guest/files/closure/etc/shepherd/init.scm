;; Shepherd's services in boot mode freebsd-init+rc.d-shepherd: rc has started sshd already.
(use-modules (shepherd service))
(primitive-load "@CLOSURE@/etc/shepherd/ready.scm")

(format #t "fruix-shepherd-started~%")
(register-services (list (fruix-ready)))
(start-in-the-background '(fruix-ready))
