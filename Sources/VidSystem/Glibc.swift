// The C library for the whole project: other targets get it with `import VidSystem`.
@_exported import Glibc
