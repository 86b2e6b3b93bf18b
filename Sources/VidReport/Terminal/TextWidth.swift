extension Character {
    /// Columns that a terminal gives the character: 2 for East Asian wide ones and emoji, 0 for what joins the one before, else 1
    /// (Unicode's UAX #11; ambiguous ones are narrow).
    package var columns: Int {
        var widest = 0
        for scalar in unicodeScalars {
            if scalar.value == 0xFE0F { return 2 }  // what stands before it is shown as an emoji
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
    /// Columns that the text, on one line, takes on a terminal.
    package var columns: Int { reduce(0) { $0 + $1.columns } }

    /// The text, or its beginning and "…", in at most `columns` columns.
    package func cut(toColumns limit: Int) -> String {
        guard columns > limit else { return self }
        var (text, width) = ("", 1)
        for character in self {
            width += character.columns
            guard width <= limit else { break }
            text.append(character)
        }
        return limit > 0 ? text + "…" : ""
    }
}
