internal import CLinux

/// A thread that does one piece of work at a time, so that work that blocks keeps no thread of Swift's pool. It is started when it is
/// first needed and ends with this value.
package final class WaitingThread: Sendable {
    private final class Shared: @unchecked Sendable {
        var mutex = pthread_mutex_t()
        var wake = pthread_cond_t()
        var work: (@Sendable () -> Void)?
        var isRunning = false
        var stop = false

        init() {
            pthread_mutex_init(&mutex, nil)
            pthread_cond_init(&wake, nil)
        }

        deinit {
            pthread_mutex_destroy(&mutex)
            pthread_cond_destroy(&wake)
        }

        func loop() {
            pthread_mutex_lock(&mutex)
            while !stop {
                guard let work else {
                    pthread_cond_wait(&wake, &mutex)
                    continue
                }
                self.work = nil
                pthread_mutex_unlock(&mutex)
                work()
                pthread_mutex_lock(&mutex)
            }
            pthread_mutex_unlock(&mutex)
        }
    }

    private let shared = Shared()

    package init() {}

    deinit {
        pthread_mutex_lock(&shared.mutex)
        shared.stop = true
        pthread_cond_signal(&shared.wake)
        pthread_mutex_unlock(&shared.mutex)
    }

    /// Begins `work`; the work before must have ended. Where the system gives no thread, the calling one does the work.
    package func run(_ work: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(&shared.mutex)
        if !shared.isRunning {
            let argument = Unmanaged.passRetained(shared)
            var thread: pthread_t = 0
            let status = pthread_create(
                &thread, nil,
                { argument in
                    Unmanaged<Shared>.fromOpaque(argument!).takeRetainedValue().loop()
                    return nil
                }, argument.toOpaque())
            guard status == 0 else {
                argument.release()
                pthread_mutex_unlock(&shared.mutex)
                return work()
            }
            pthread_detach(thread)
            shared.isRunning = true
        }
        shared.work = work
        pthread_cond_signal(&shared.wake)
        pthread_mutex_unlock(&shared.mutex)
    }
}

/// Bytes to receive, or room to send, that are waited for on another thread.
final class SocketWait: @unchecked Sendable {
    enum End { case complete, failed, timedOut }

    private let socket: Int32
    private let writes: Bool
    private let target: UnsafeMutableRawBufferPointer
    private(set) var done = 0

    init(socket: Int32, writes: Bool, target: UnsafeMutableRawBufferPointer) {
        self.socket = socket
        self.writes = writes
        self.target = target
    }

    /// Receives what is there; `.timedOut` if that is not all.
    func receive() -> End {
        while done < target.count {
            let count = SystemCall.retrying {
                vc_receive(socket, target.baseAddress.map { $0 + done }, UInt64(target.count - done), nil, 0)
            }
            guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? .timedOut : .failed }
            done += Int(count)
        }
        return .complete
    }

    func run(until deadline: ContinuousClock.Instant) -> End {
        while true {
            let (seconds, attoseconds) = (deadline - .now).components
            guard seconds >= 0, attoseconds >= 0 else { return .timedOut }
            let milliseconds = min(seconds, 1 << 20) * 1000 + attoseconds / 1_000_000_000_000_000 + 1
            let ready = vc_wait(socket, writes ? 1 : 0, Int32(milliseconds))
            guard ready >= 0 || errno == EINTR else { return .failed }
            guard ready > 0 else { continue }
            if writes { return .complete }
            switch receive() {
            case .complete: return .complete
            case .failed: return .failed
            case .timedOut: continue
            }
        }
    }
}
