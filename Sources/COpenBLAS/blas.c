#include "COpenBLAS.h"

#include <cblas.h>
#include <lapacke.h>
#include <stdlib.h>
#include <sys/mman.h>

void vc_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
              const float *b, int ldb, float beta, float *c, int ldc) {
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n,
                k, alpha, a, lda, b, ldb, beta, c, ldc);
}

int vc_sqr(int m, int n, float *a, float *tau, float *r_diagonal) {
    int info = LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, m, n, a, n, tau);
    if (info != 0) return info;
    for (int i = 0; i < n; i++) r_diagonal[i] = a[(long)i * n + i];
    return LAPACKE_sorgqr(LAPACK_ROW_MAJOR, m, n, n, a, n, tau);
}

// OpenBLAS's allocator of packing buffers; no header declares it. A buffer that is freed stays mapped for the next caller,
// on whichever thread.
extern void *blas_memory_alloc(int position);
extern void blas_memory_free(void *buffer);

// BUFFER_SIZE of OpenBLAS's common.h (32 << 22) and the page that it adds.
long vc_blas_buffer_bytes(void) { return (32L << 22) + 4096; }

int vc_blas_reserve(int count) {
    void **buffers = calloc((size_t)count, sizeof *buffers);
    if (buffers == NULL) return count;
    int mapped = 0;
    while (mapped < count) {
        void *probe = mmap(NULL, (size_t)vc_blas_buffer_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (probe == MAP_FAILED) break;
        buffers[mapped++] = probe;
    }
    for (int i = 0; i < mapped; i++) munmap(buffers[i], (size_t)vc_blas_buffer_bytes());
    if (mapped == count) {
        for (int i = 0; i < count; i++) buffers[i] = blas_memory_alloc(0);
        for (int i = 0; i < count; i++) blas_memory_free(buffers[i]);
    }
    free(buffers);
    return count - mapped;
}

const char *vc_blas_core_name(void) { return openblas_get_corename(); }

const char *vc_blas_config(void) { return openblas_get_config(); }
