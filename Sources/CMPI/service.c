#include "service.h"

#include "alarm.h"
#include "membership.h"
#include "messages.h"
#include "signs.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

// Seconds. The service polls without naps for `awake` after an event. A poll that takes the processor for more than `busy` has moved data;
// the first one after a nap takes long by itself.
static const double awake = 30e-6, busy = 10e-6, busy_after_nap = 50e-6;

/// The requests of other threads.
struct wishes {
    struct message *queue;
    enum membership membership;
    bool alarm, abort;
    int abort_code;
};

/// To be called with the lock.
static bool has_wishes(void) { return state.queue.first || state.wants_abort || (state.alarm.is_there && !state.has_told); }

static struct wishes take_wishes(void) {
    pthread_mutex_lock(&state.lock);
    const struct wishes wishes = {
        state.queue.first, state.membership, state.alarm.is_there && !state.has_told, state.wants_abort, state.abort_code};
    state.queue.first = NULL;
    pthread_mutex_unlock(&state.lock);
    return wishes;
}

static void post_all(struct message *message) {
    while (message) {
        struct message *next = message->next;
        post(message);
        state.last_event = now();
        message = next;
    }
}

/// Seconds of the processor that this thread has had.
static double processor_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void poll_mpi(bool is_after_nap) {
    const double start = processor_time();
    poll_messages();
    if (processor_time() - start > (is_after_nap ? busy_after_nap : busy)) state.last_event = now();
}

/// How long to nap, by the time since the last event: up to a tenth of it and a millisecond, and in long waits up to 0.5 % of it and 10 ms. So a
/// message waits little longer than it was waited for anyway, and an idle rank leaves the processor alone.
static double nap_length(double idle) {
    const double tenth = idle / 10 < 1e-3 ? idle / 10 : 1e-3;
    const double share = idle / 200 < 10e-3 ? idle / 200 : 10e-3;
    return share > tenth ? share : tenth;
}

/// Waits a moment for wishes. Returns whether it did.
static bool nap(void) {
    const double time = now(), idle = time - state.last_event;
    if (idle < awake) {
        sched_yield();
        return false;
    }
    const struct timespec end = moment(time + nap_length(idle));
    pthread_mutex_lock(&state.lock);
    if (!has_wishes()) pthread_cond_timedwait(&state.work, &state.lock, &end);
    pthread_mutex_unlock(&state.lock);
    return true;
}

static void watch_signs(void) {
    const double time = now();
    forgive_own_pause(time);
    give_signs(time);
    watch(time);
}

static void work(void) {
    for (bool is_after_nap = false;; is_after_nap = nap()) {
        const struct wishes wishes = take_wishes();
        if (wishes.abort) MPI_Abort(MPI_COMM_WORLD, wishes.abort_code);
        post_all(wishes.queue);
        if (wishes.alarm) send_alarm();
        poll_mpi(is_after_nap);
        end_messages();
        watch_signs();
        if (wishes.membership == is_leaving && !state.is_silent && may_leave()) return leave();
    }
}

static void *serve(void *unused) {
    // Naps of microseconds.
    prctl(PR_SET_TIMERSLACK, 1000);
    const char *fault = join();
    pthread_mutex_lock(&state.lock);
    if (fault) snprintf(state.start_fault, sizeof state.start_fault, "%s", fault);
    state.membership = fault ? is_out : is_in;
    pthread_mutex_unlock(&state.lock);
    notify();
    if (!fault) work();
    return unused;
}

bool start_service(void) {
    // Signals are for the threads of the program.
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t thread;
    const bool is_running = pthread_create(&thread, NULL, serve, NULL) == 0;
    if (is_running) pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return is_running;
}
