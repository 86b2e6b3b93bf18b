import CKernels
import Synchronization
import VidSystem

/// A fixed set of threads that work through numbered blocks.
///
/// Any thread may take any block. If a block writes only its own part of the result, and if the worker's number selects
/// nothing but scratch memory, the result has the same bits at any thread count.
package final class Workers: @unchecked Sendable {
    /// The number of threads, the calling one included.
    package let count: Int

    private let shared: Shared
    private var threads: [pthread_t] = []

    /// The state that the threads share. They refer to this, not to the `Workers`, so that its `deinit` can end them.
    private final class Shared: @unchecked Sendable {
        var mutex = pthread_mutex_t()
        var wake = pthread_cond_t()
        var done = pthread_cond_t()
        let next = Atomic<Int>(0)
        let generation = Atomic<Int>(0)
        let running = Atomic<Int>(0)
        var stop = false
        var blocks = 0
        var body: (@Sendable (_ block: Int, _ worker: Int) -> Void)?

        init() {
            pthread_mutex_init(&mutex, nil)
            pthread_cond_init(&wake, nil)
            pthread_cond_init(&done, nil)
        }

        deinit {
            pthread_mutex_destroy(&mutex)
            pthread_cond_destroy(&wake)
            pthread_cond_destroy(&done)
        }

        func work(as worker: Int) {
            guard let body else { return }
            while true {
                let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
                if block >= blocks { return }
                body(block, worker)
            }
        }

        /// The loop of a worker thread: it waits for the next generation (spinning briefly first), works, and reports.
        func loop(as worker: Int) {
            var seen = 0
            while true {
                var spins = 0
                while generation.load(ordering: .acquiring) == seen, spins < 2000 {
                    spins += 1
                    vc_spin_pause()
                }
                if generation.load(ordering: .acquiring) == seen {
                    pthread_mutex_lock(&mutex)
                    while generation.load(ordering: .acquiring) == seen { pthread_cond_wait(&wake, &mutex) }
                    pthread_mutex_unlock(&mutex)
                }
                seen = generation.load(ordering: .acquiring)
                if stop { return }
                work(as: worker)
                if running.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                    pthread_mutex_lock(&mutex)
                    pthread_cond_signal(&done)
                    pthread_mutex_unlock(&mutex)
                }
            }
        }
    }

    private final class Start {
        let shared: Shared
        let worker: Int
        init(_ shared: Shared, _ worker: Int) {
            self.shared = shared
            self.worker = worker
        }
    }

    /// `count` threads in all; by default one for each processor.
    package init(count: Int = Workers.processorCount) {
        precondition(count >= 1, "\(count) threads")
        shared = Shared()
        for worker in 1..<max(count, 1) {
            let start = Unmanaged.passRetained(Start(shared, worker))
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            pthread_attr_setstacksize(&attributes, 8 << 20)
            var thread: pthread_t = 0
            let status = pthread_create(
                &thread, &attributes,
                { argument in
                    let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                    start.shared.loop(as: start.worker)
                    return nil
                }, start.toOpaque())
            pthread_attr_destroy(&attributes)
            guard status == 0 else {
                start.release()
                break  // fewer threads than asked for: slower, never wrong
            }
            threads.append(thread)
        }
        self.count = threads.count + 1
    }

    deinit {
        shared.stop = true
        start()
        for thread in threads { pthread_join(thread, nil) }
    }

    private func start() {
        pthread_mutex_lock(&shared.mutex)
        shared.generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
        pthread_cond_broadcast(&shared.wake)
        pthread_mutex_unlock(&shared.mutex)
    }

    /// Calls `body(block, worker)` once for each block in `0..<blocks`, `worker` in `0..<count`; returns when all are done.
    ///
    /// Must not be called from within `body`, nor from two threads at once.
    package func forEach(_ blocks: Int, _ body: (_ block: Int, _ worker: Int) -> Void) {
        guard blocks > 0 else { return }
        if blocks == 1 || count == 1 {
            for block in 0..<blocks { body(block, 0) }
            return
        }
        withoutActuallyEscaping(body) { escaping in
            // No thread uses it after this call returns.
            let sendable = unsafeBitCast(escaping, to: (@Sendable (Int, Int) -> Void).self)
            shared.body = sendable
            shared.blocks = blocks
            shared.next.store(0, ordering: .relaxed)
            shared.running.store(count - 1, ordering: .releasing)
            start()
            shared.work(as: 0)
            var spins = 0
            while shared.running.load(ordering: .acquiring) != 0, spins < 2000 {
                spins += 1
                vc_spin_pause()
            }
            if shared.running.load(ordering: .acquiring) != 0 {
                pthread_mutex_lock(&shared.mutex)
                while shared.running.load(ordering: .acquiring) != 0 { pthread_cond_wait(&shared.done, &shared.mutex) }
                pthread_mutex_unlock(&shared.mutex)
            }
            shared.body = nil
        }
    }

    /// Calls `body(range, worker)` for consecutive ranges that cover `0..<count`, each of `size` but the last.
    package func forEachRange(of count: Int, size: Int, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
        precondition(size > 0, "blocks of \(size)")
        forEach((count + size - 1) / size) { block, worker in
            body(block * size..<min(count, (block + 1) * size), worker)
        }
    }

    /// The number of processors this process may run on.
    package static var processorCount: Int { Machine.processorCount }
}
