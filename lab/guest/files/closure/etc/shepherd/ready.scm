;; The last service of a start-up: says in the file system that everything before it is up.
(use-modules (shepherd service))

(define ready-marker "/var/lib/fruix/ready")

(define* (fruix-ready #:key (requirement '()))
  (service '(fruix-ready)
           #:documentation "Write the ready marker."
           #:requirement requirement
           #:start (lambda _
                     (let ((partial (string-append ready-marker ".partial")))
                       (call-with-output-file partial
                         (lambda (port) (display "ready\n" port)))
                       (rename-file partial ready-marker))
                     #t)
           #:stop (lambda _ #f)
           #:respawn? #f))
