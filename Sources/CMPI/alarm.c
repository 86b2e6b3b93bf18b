#include "alarm.h"

#include "messages.h"

#include <stddef.h>
#include <string.h>

static const size_t head_bytes = offsetof(struct alarm, text);

void prepare_alarm(int rank, bool is_alarm, const char *text, size_t count) {
    struct failure *failure = &state.alarm;
    if (failure->is_there) return;
    failure->is_there = true;
    failure->count = count < sizeof failure->alarm.text ? count : sizeof failure->alarm.text;
    failure->alarm.rank = rank;
    failure->alarm.is_alarm = is_alarm;
    memcpy(failure->alarm.text, text, failure->count);
}

static void alarm_came(void *received, int status, int source, size_t count) {
    (void)status, (void)source;
    const struct alarm *alarm = received;
    if (count >= head_bytes) fail(alarm->rank, alarm->is_alarm, alarm->text, count - head_bytes);
    await_alarms();
}

void await_alarms(void) {
    static struct alarm received;
    post(new_receive(MPI_ANY_SOURCE, tag_alarm, &received, sizeof received, alarm_came, &received));
}

static void add_untold(int count) {
    pthread_mutex_lock(&state.lock);
    state.untold += count;
    pthread_mutex_unlock(&state.lock);
}

static void alarm_sent(void *context, int status, int source, size_t count) {
    (void)context, (void)status, (void)source, (void)count;
    add_untold(-1);
    notify();
}

void send_alarm(void) {
    const struct failure *failure = &state.alarm;
    fail(failure->alarm.rank, failure->alarm.is_alarm, failure->alarm.text, failure->count);
    for (int rank = 0; rank < state.size && !state.is_silent; rank++) {
        if (rank == state.rank || rank == state.failure.alarm.rank) continue;
        add_untold(1);
        post(new_send(rank, tag_alarm, &failure->alarm, head_bytes + failure->count, alarm_sent, NULL));
    }
    pthread_mutex_lock(&state.lock);
    state.has_told = true;
    pthread_mutex_unlock(&state.lock);
    notify();
}
