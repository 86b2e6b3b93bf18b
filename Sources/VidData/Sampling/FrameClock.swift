/// The times of a stream's frames as they come: what `FrameTimes` of the whole file knows of them at that time (`FrameTimes.known(at:)`).
///
/// Frames have the stated rate for as long as their times agree with it, and their own times from the first one on that does not. Only the
/// times of recent frames are kept.
struct FrameClock: Sendable {
    private let over: Double
    private let under: Double
    private let statedRate: Double
    /// Ticks from one frame to the next at the stated rate.
    private let step: Double
    /// The number of frames so far, and the first of them whose time is kept.
    private(set) var count = 0
    private(set) var first = 0
    /// Ticks from the first frame of all, of the frames from `first` on.
    private var offsets: [Double] = []
    private var start: Int64 = 0
    private var latest: Int64 = 0
    private(set) var isConstant: Bool

    /// - Parameters:
    ///   - tick: seconds as a fraction.
    ///   - statedRate: frames a second; 0 = unknown.
    init(tick: (over: Int, under: Int), statedRate: Double) {
        (over, under, self.statedRate) = (Double(tick.over), Double(tick.under), statedRate)
        step = 1 / (statedRate * (over / under))
        isConstant = step > 0 && step.isFinite
    }

    /// Takes the next frame's time. One before its predecessor's counts as the same.
    mutating func append(_ tick: Int64) {
        if count == 0 { (start, latest) = (tick, tick) }
        latest = max(latest, tick)
        // Ticks are far from overflowing.
        let offset = Double(latest - start)
        isConstant = isConstant && FrameTimes.agrees(offset, number: count, step: step)
        offsets.append(offset)
        count += 1
    }

    /// Forgets the times of the frames before `number`; the last one is kept.
    mutating func forget(before number: Int) {
        let forgotten = min(number, count - 1) - first
        guard forgotten > 0 else { return }
        offsets.removeFirst(forgotten)
        first += forgotten
    }

    /// The times of the frames up to now; nil if their rate is not known yet.
    var times: FrameTimes? {
        if isConstant { return FrameTimes(count: count, rate: statedRate) }
        guard let last = offsets.last, last > 0, count > 1 else { return nil }
        return variable(until: last + last / Double(count - 1))
    }

    /// The times of all frames, the last of which is shown for `lastDuration` ticks; 0 = unknown.
    func ended(lastDuration: Int) -> FrameTimes {
        let last = lastDuration > 0 ? Double(lastDuration) : nil
        let mean = count > 1 ? (offsets.last ?? 0) / Double(count - 1) : last ?? 0
        if isConstant && FrameTimes.canEnd(with: last, step: step) || !(mean > 0) { return FrameTimes(count: count, rate: statedRate) }
        return variable(until: (offsets.last ?? 0) + (last ?? mean))
    }

    private func variable(until end: Double) -> FrameTimes {
        FrameTimes(from: first, seconds: offsets.map { $0 * over / under }, duration: end * over / under)
    }
}
