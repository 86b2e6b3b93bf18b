extension Character {
    /// The columns that a terminal uses for the character: 2 for wide East Asian characters and emoji, 0 for a character that joins
    /// the one before it, otherwise 1 (Unicode's UAX #11; ambiguous characters count as narrow).
    package var columns: Int {
        var widest = 0
        for scalar in unicodeScalars {
            if scalar.value == 0xFE0F { return 2 }  // the character before it is shown as an emoji
            widest = max(widest, Character.columns(of: scalar))
        }
        return widest
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F1E6...0x1F1FF, 0x20000...0x3FFFD,
    ]

    private static func columns(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return scalar.properties.isEmojiPresentation || wide.contains { $0.contains(scalar.value) } ? 2 : 1
        }
    }
}

extension String {
    /// The columns that the text, on one line, uses on a terminal.
    package var columns: Int { reduce(0) { $0 + $1.columns } }

    /// The text with spaces behind it, at least `width` columns wide.
    package func padded(toColumns width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }

    /// The text truncated at its end to at most `limit` columns: "abcd…".
    package func truncated(toColumns limit: Int) -> String {
        guard columns > limit else { return self }
        return limit > 0 ? String(fitting(columns: limit - 1)) + "…" : ""
    }

    /// The text truncated in its middle to at most `limit` columns: "a/ver…oliday.mp4". The end, which holds a file's own name and
    /// extension, keeps the larger part.
    package func shortened(toColumns limit: Int) -> String {
        guard columns > limit else { return self }
        guard limit > 1 else { return limit == 1 ? "…" : "" }
        let head = String(fitting(columns: (limit - 1) / 3))
        return head + "…" + String(reversed().fitting(columns: limit - 1 - head.columns).reversed())
    }
}

extension Sequence<Character> {
    /// As many of the first characters as fit in `limit` columns.
    fileprivate func fitting(columns limit: Int) -> [Character] {
        var room = limit
        return prefix {
            room -= $0.columns
            return room >= 0
        }
    }
}
