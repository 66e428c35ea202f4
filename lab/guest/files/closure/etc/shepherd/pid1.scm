;; Shepherd's services in boot mode shepherd-pid1.
(use-modules (shepherd service))
(primitive-load "@CLOSURE@/etc/shepherd/ready.scm")

(define sshd
  (service '(sshd)
           #:documentation "Secure shell server."
           #:start (make-forkexec-constructor
                    '("/usr/sbin/sshd" "-D" "-e")
                    #:pid-file "/var/run/sshd.pid"
                    #:pid-file-timeout 60
                    #:log-file "/var/log/sshd.log"
                    #:environment-variables
                    '("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
           #:stop (make-kill-destructor)
           #:respawn? #t))

(format #t "fruix-shepherd-started~%")
(register-services (list sshd (fruix-ready #:requirement '(sshd))))
(start-in-the-background '(fruix-ready))
