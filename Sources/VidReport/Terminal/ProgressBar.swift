import Synchronization

/// A line on standard error that is redrawn in place; nothing is drawn if standard error is no terminal.
///
///     encode  ━━━━━━━━━━━━━━━╸━━━━━━━  62 %  99/160 clips  8.1 clips/s  0:08 left
package final class ProgressBar: Sendable {
    /// A text behind the bar.
    package struct Detail: Sendable {
        let text: String
        let short: String
        let rank: Int

        /// - Parameters:
        ///   - short: the text for a narrow terminal.
        ///   - rank: the details of the highest rank are left out first.
        package init(_ text: String, short: String? = nil, rank: Int) {
            self.text = text
            self.short = short ?? text
            self.rank = rank
        }
    }

    private struct State {
        /// The width of the line that is shown; 0 if none is.
        var columns = 0
        var lastDrawn: ContinuousClock.Instant?
    }

    private let isActive: Bool
    private let color: Bool
    private let state = Mutex(State())

    /// - Parameter quiet: never draw.
    package init(quiet: Bool = false) {
        isActive = !quiet && Terminal.isInteractive
        color = Terminal.usesColor
    }

    /// Redraws, at most twenty times a second but always at the end.
    package func update(_ label: String, done: Int, total: Int, details: [Detail]) {
        guard isActive, total > 0 else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.lastDrawn, done < total, now - last < .milliseconds(50) { return }
            state.lastDrawn = now
            let width = Terminal.width
            func line(color: Bool) -> String {
                ProgressBar.line(label, done: done, total: total, details: details, width: width, color: color)
            }
            // The cursor returns to the line's beginning: a window that becomes narrower wraps the line but leaves the cursor there.
            Terminal.draw(ProgressBar.erasing(state.columns, width: width) + line(color: color) + "\r")
            state.columns = line(color: false).columns
        }
    }

    /// Redraws with details that two spaces separate; the last ones are left out first.
    package func update(_ label: String, done: Int, total: Int, detail: String) {
        let details = detail.split(separator: "  ").enumerated().map { Detail(String($1), rank: $0) }
        update(label, done: done, total: total, details: details)
    }

    /// Removes the bar, so that a line can be written.
    package func clear() {
        state.withLock { state in
            guard state.columns > 0 else { return }
            Terminal.draw(ProgressBar.erasing(state.columns, width: Terminal.width))
            state = State()
        }
    }

    /// The codes that erase a line of `columns` columns, on all rows that a window of `width` columns has wrapped it to. The cursor is
    /// at the line's beginning before and after.
    private static func erasing(_ columns: Int, width: Int) -> String {
        let rows = max(0, columns - 1) / max(1, width)
        let below = String(repeating: "\u{1B}[1B\u{1B}[2K", count: rows)
        return "\r" + (rows > 0 ? "\u{1B}7" + below + "\u{1B}8" : "") + "\u{1B}[K"
    }

    private static let mostCells = 30
    private static let fewestCells = 8
    /// So many details are more useful than the bar.
    private static let detailsBeforeBar = 3

    /// The line as text, at most `width - 1` columns wide. On a narrow terminal, details are shortened or left out, then the bar, and
    /// in the end the line is truncated.
    package static func line(_ label: String, done: Int, total: Int, details: [Detail], width: Int, color: Bool) -> String {
        let room = max(0, width - 1)
        let fraction = min(1, max(0, Double(done) / Double(max(total, 1))))
        let percent = "\(Int(fraction * 100)) %"
        let ranks = details.map(\.rank).sorted()
        for hasBar in [true, false] {
            for count in stride(from: details.count, through: hasBar ? min(detailsBeforeBar, details.count) : 0, by: -1) {
                let kept = details.filter { count > 0 && $0.rank <= ranks[count - 1] }
                for isShort in [false, true] {
                    let head = hasBar ? String(repeating: " ", count: max(0, 5 - percent.count)) + percent : percent
                    let tail = ([head] + kept.map { isShort ? $0.short : $0.text }).joined(separator: "  ")
                    let left = room - label.columns - 2 - tail.columns - (hasBar ? 2 : 0)
                    guard left >= (hasBar ? fewestCells : 0) else { continue }
                    return label + "  " + (hasBar ? bar(fraction, cells: min(left, mostCells), color) + "  " : "") + tail
                }
            }
        }
        return "\(label)  \(percent)".truncated(toColumns: room)
    }

    private static func bar(_ fraction: Double, cells: Int, _ color: Bool) -> String {
        let filled = Int(fraction * Double(cells))
        let full = String(repeating: "━", count: filled)
        let rest = String(repeating: "─", count: cells - filled)
        return color ? "\u{1B}[36m\(full)\u{1B}[0;2m\(rest)\u{1B}[0m" : full + rest
    }
}
