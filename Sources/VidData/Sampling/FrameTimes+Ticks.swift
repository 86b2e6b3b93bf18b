extension FrameTimes {
    /// Frames at the presentation times `ticks`, which a file gives in units of its time base, in the order in which they are shown.
    ///
    /// A file rounds times to its time base: at 30 frames a second Matroska's are 0, 33, 67, 100 ms. Times from which such rounding
    /// alone can make a constant rate get that rate, so the same frames are chosen from the same film in every container. The rates
    /// tried are the stated one, then the mean rate of the ticks: to an integer, to n 1000/1001, and as it is.
    ///
    /// - Parameters:
    ///   - timeBase: seconds per tick as a fraction, over 0.
    ///   - lastDuration: the number of ticks for which the last frame is shown; nil or 0 = unknown, then the mean of the others.
    ///   - statedRate: what the file says; 0 = unknown. It counts only if the ticks agree, or if they don't tell a rate.
    package init(ticks: [Int64], timeBase: (numerator: Int, denominator: Int), lastDuration: Int64? = nil, statedRate: Double = 0) {
        precondition(!ticks.isEmpty && timeBase.numerator > 0 && timeBase.denominator > 0, "\(ticks.count) frames in ticks of \(timeBase)")
        let tick = Double(timeBase.numerator) / Double(timeBase.denominator)
        var latest = ticks[0]
        // A frame whose time is before its predecessor's is shown right after it.
        let offsets = ticks.map { time in
            latest = max(latest, time)
            let (offset, overflow) = latest.subtractingReportingOverflow(ticks[0])
            return overflow ? Double(latest) - Double(ticks[0]) : Double(offset)
        }
        let last = lastDuration.flatMap { $0 > 0 ? Double($0) : nil }
        let mean = ticks.count > 1 ? (offsets.last ?? 0) / Double(ticks.count - 1) : last ?? 0

        var rates = [statedRate]
        if mean > 0 {
            let fitted = 1 / (mean * tick)
            rates += [fitted.rounded(), (fitted * 1.001).rounded() * 1000 / 1001, fitted]
        }
        let rate = rates.first(where: { FrameTimes.isConstant(offsets, step: 1 / ($0 * tick), last: last) })
        let (over, under) = (Double(timeBase.numerator), Double(timeBase.denominator))
        let seconds = offsets.map { $0 * over / under }
        let duration = ((offsets.last ?? 0) + (last ?? mean)) * over / under
        if let rate {
            self.init(count: ticks.count, rate: rate)
        } else if mean > 0 {
            self.init(seconds: seconds, duration: duration)
        } else {
            self.init(count: ticks.count, rate: statedRate)
        }
        guard mean > 0, rate != statedRate else { return }
        let step = 1 / (statedRate * tick)
        let agreeing = offsets.indices.first { !FrameTimes.agrees(offsets[$0], number: $0, step: step) } ?? offsets.count
        if rate != nil || agreeing > 0 {
            self = arriving(Arrival(statedRate: statedRate, agreeing: agreeing, seconds: seconds, duration: duration))
        }
    }

    /// Whether frames every `step` ticks can have been rounded to `offsets`.
    ///
    /// Two times rounded in the same way are at most a tick nearer or further apart than the true ones. Where a tick is long, only a quarter
    /// of a step is allowed: a frame that was left out moves those after it by a step, and no rate hides this by less than half of it.
    ///
    /// The last frame must take from half a step to less than two, because containers often round its duration or give that of a
    /// field: a last frame that stands still for longer, or a series of pictures that ends at once, is no constant rate.
    private static func isConstant(_ offsets: [Double], step: Double, last: Double?) -> Bool {
        canEnd(with: last, step: step) && offsets.indices.allSatisfy { agrees(offsets[$0], number: $0, step: step) }
    }

    /// Whether the last of frames every `step` ticks can take `last` of them; nil = unknown.
    static func canEnd(with last: Double?, step: Double) -> Bool {
        guard step > 0, step.isFinite else { return false }
        return last.map { $0 >= step / 2 - 1 && $0 < 2 * step } ?? true
    }

    /// Whether the time of frame `number` of frames every `step` ticks can have been rounded to `offset`.
    static func agrees(_ offset: Double, number: Int, step: Double) -> Bool {
        step > 0 && step.isFinite && abs(offset - Double(number) * step) <= min(1, step / 4) + 1e-3
    }
}
