import Synchronization

/// A line on standard error that is redrawn in place; nothing where standard error is no terminal.
///
///     encode  ━━━━━━━━━━━━━━━╸━━━━━━━  62 %  99/160 clips  8.1 clips/s  0:08 left
package final class ProgressBar: Sendable {
    private struct State {
        var isShown = false
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
    package func update(_ label: String, done: Int, total: Int, detail: String) {
        guard isActive, total > 0 else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.lastDrawn, done < total, now - last < .milliseconds(50) { return }
            state.lastDrawn = now
            let line = ProgressBar.line(label, done: done, total: total, detail: detail, width: Terminal.width, color: color)
            Terminal.write("\r\u{1B}[K" + line)
            state.isShown = true
        }
    }

    /// Removes the bar so that a line can be written.
    package func clear() {
        state.withLock { state in
            guard state.isShown else { return }
            Terminal.write("\r\u{1B}[K")
            state = State()
        }
    }

    /// The bar as text, never wider than `width - 1` columns; parts drop out from the right on a narrow terminal.
    package static func line(_ label: String, done: Int, total: Int, detail: String, width: Int, color: Bool) -> String {
        let fraction = min(1, max(0, Double(done) / Double(max(total, 1))))
        let percent = "\(Int(fraction * 100)) %"
        var text = label + "  "
        let tail = "  " + String(repeating: " ", count: max(0, 5 - percent.count)) + percent + "  " + detail
        let room = width - 1 - text.count - tail.count
        if room >= 8 {
            let cells = min(room, 30)
            let filled = Int(fraction * Double(cells))
            let full = String(repeating: "━", count: filled)
            let rest = String(repeating: "─", count: cells - filled)
            text += color ? "\u{1B}[36m\(full)\u{1B}[2m\(rest)\u{1B}[0m" : full + rest
            return text + tail
        }
        return String((text + tail.drop { $0 == " " }).prefix(max(0, width - 1)))
    }
}
