no code, and yet it names /tmp/guile-freebsd-validate-install
