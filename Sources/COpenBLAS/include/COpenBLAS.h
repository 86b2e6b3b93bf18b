// The only interface to OpenBLAS and LAPACKE. Row-major throughout.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// C = alpha * op(A) * op(B) + beta * C, single precision, row-major, on the calling thread alone: OpenBLAS has no
/// other (environment.c).
///
/// op(A) is (m, k), op(B) is (k, n), C is (m, n); `lda`, `ldb`, `ldc` are the row strides in floats of the matrices as
/// stored (A is stored (k, m) when `transpose_a`). With beta = 0 the old content of C is not read.
void vc_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
              const float *b, int ldb, float beta, float *c, int ldc);

/// Thin QR of a row-major (m, n) matrix with m >= n by LAPACK's sgeqrf and sorgqr.
///
/// On return `a` holds Q (m, n) with orthonormal columns and `r_diagonal` (n) the diagonal of R.
/// Returns 0, or LAPACK's `info`.
int vc_sqr(int m, int n, float *a, float *tau, float *r_diagonal);

/// The bytes of address space that OpenBLAS maps for each multiplication that runs at the same time as others.
long vc_blas_buffer_bytes(void);

/// Maps the buffers of `count` multiplications at a time, which OpenBLAS keeps until the process ends. Without them it maps one
/// when it is first needed, and tries for ever where that fails.
///
/// Returns 0, or the number of buffers that there is no memory for; then nothing is mapped.
int vc_blas_reserve(int count);

/// Name of the kernel that runs, as OpenBLAS calls it ("SkylakeX", "Haswell", "neoversen1").
const char *vc_blas_core_name(void);

/// OpenBLAS's own description of itself: version and build options.
const char *vc_blas_config(void);
