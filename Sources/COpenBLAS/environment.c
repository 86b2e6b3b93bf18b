// OpenBLAS reads its environment variables and starts a thread for each further processor in a constructor: before `main`, or while a
// library that contains it is loaded. The functions by which it reads them are these instead, because the linker takes from an archive
// only what is missing. So OpenBLAS has one thread, the calling one, whatever the environment says, and loading it starts none. A version
// with more such functions than these does not link.

/// In OpenBLAS's driver/others/openblas_env.c; 0 stands for its default.
void openblas_read_env(void);
int openblas_verbose(void);
unsigned int openblas_thread_timeout(void);
int openblas_block_factor(void);
int openblas_num_threads_env(void);
int openblas_goto_num_threads_env(void);
int openblas_omp_num_threads_env(void);
int openblas_omp_adaptive_env(void);

void openblas_read_env(void) {}
int openblas_verbose(void) { return 0; }
unsigned int openblas_thread_timeout(void) { return 0; }
int openblas_block_factor(void) { return 0; }
int openblas_num_threads_env(void) { return 1; }
int openblas_goto_num_threads_env(void) { return 1; }
int openblas_omp_num_threads_env(void) { return 1; }
int openblas_omp_adaptive_env(void) { return 0; }

