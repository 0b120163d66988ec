# The image is what `.ci/run image` puts into target/image: one static program, the certificates that it trusts, a user
# without rights, and a folder for temporary files. There is no shell in it.
FROM scratch
COPY target/image/ /
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/berth"]
