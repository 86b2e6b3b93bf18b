import VidSystem
import VidTensor

/// The windows of a stream, cut from its frames as they come: the same clips as `ClipLoader.load` gives for the windows of the whole file.
///
/// A window is there when the first frame at or after its end has come, or at the end of the stream. Memory holds the frames of the windows
/// that are not there yet.
package struct WindowStream: Sendable {
    private let loader: ClipLoader
    private let grid: WindowGrid
    private let name: String
    private var clock: FrameClock
    /// The pixels of the clock's frames, (channels, rows, columns) each.
    private var frames: [[UInt8]] = []
    /// The times of all frames, after the end.
    private var all: FrameTimes?
    /// The number of windows that were handed out.
    private var done = 0

    /// - Parameters:
    ///   - length: seconds of a window.
    ///   - stride: seconds from one window's start to the next.
    ///   - name: the stream's, for errors.
    package init(_ loader: ClipLoader, _ stream: StreamDescription, length: Double, stride: Double, name: String) {
        self.loader = loader
        self.name = name
        grid = WindowGrid(length: length, stride: stride)
        clock = FrameClock(tick: (stream.clock.over, stream.clock.under), statedRate: stream.rate)
    }

    /// Takes the next frame, in the size of the loader. All windows that are there must have been taken before.
    ///
    /// - Throws: `.badData` if a window's frames do not fit into memory.
    package mutating func append(_ tick: Int64, _ frame: UnsafeRawBufferPointer) throws {
        forget()
        clock.append(tick)
        // Asked rarely, because the system is asked.
        if frames.count % 64 == 63 {
            try MemoryBudget.checkLoading(64 * frame.count, of: name, remedy: "Use a shorter --window.")
        }
        frames.append(Array(frame))
    }

    /// Ends the stream.
    ///
    /// - Parameter lastDuration: ticks for which the last frame is shown; 0 = unknown.
    package mutating func finish(lastDuration: Int) {
        all = clock.ended(lastDuration: lastDuration)
    }

    /// The next window that is there, and its clip; nil if none is.
    ///
    /// - Throws: `.badData` for a clip that is too short if `short_clips` is `error`, and for a rate that is not known but needed.
    package mutating func next() throws -> (window: ClipWindow, clip: LoadedClip)? {
        guard clock.count > 0, let (window, times) = try nextWindow() else { return nil }
        // A hostile clock may jump by years.
        let (most, seconds) = (FrameTimes.mostWindows, (times.duration ?? 0) - window.start)
        guard seconds <= Double(most) * grid.stride else { throw grid.tooMany(seconds / grid.stride, most, seconds, path: name) }
        let sampled = try loader.sample(window.view, of: ClipFrames(stream: times), path: name)
        done += 1
        let shape = ClipShape(frames: sampled.indices.count, channels: loader.channels, rows: loader.rows, columns: loader.columns)
        let clip = Clip(shape: shape, pixels: .bytes(sampled.indices.flatMap { frames[$0 - clock.first] }))
        let end = all?.duration.map { min(window.length, $0 - window.start) } ?? window.length
        return (ClipWindow(start: window.start, length: end), sampled.clip(of: clip))
    }

    /// The next window and the times that decide about it.
    private func nextWindow() throws -> (ClipWindow, FrameTimes)? {
        let window = grid.window(done)
        if let all {
            guard let duration = all.duration else {
                _ = try window.frames(of: all, path: name)
                return nil
            }
            guard Double(done) < grid.fitting(in: duration, tolerance: all.tolerance) else {
                // `done` is the number of those that fit; the rest was handed out if it is more.
                let whole = Int(grid.fitting(in: duration, tolerance: all.tolerance))
                guard done == whole, let rest = grid.rest(of: duration, after: whole, tolerance: all.tolerance) else { return nil }
                return (rest, all)
            }
            return (window, all)
        }
        guard let times = clock.times, times.frames(before: window.start + window.length) < times.count else { return nil }
        return (window, times)
    }

    /// Forgets the frames that no further window contains. Those shortly before the next window's start are kept: if the times turn out
    /// to differ from the stated rate, they may be in it, and the last one before it may be on the screen.
    private mutating func forget() {
        guard let times = clock.times else { return }
        let first = times.frames(before: grid.window(done).start) - 4
        guard first > clock.first else { return }
        let before = clock.first
        clock.forget(before: first)
        frames.removeFirst(clock.first - before)
    }
}
