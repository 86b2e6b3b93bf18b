import VidSystem

/// Command lines that can be pasted into a shell.
package enum ShellText {
    /// The words, quoted where necessary.
    package static func command(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    /// One word: unchanged if no character in it is special to a shell, otherwise in single quotes, or in `$'...'` if it has control
    /// characters.
    package static func quoted(_ word: String) -> String {
        let isPlain = { (scalar: Unicode.Scalar) in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "_./=:,@%+-".unicodeScalars.contains(scalar))
        }
        if !word.isEmpty, word.unicodeScalars.allSatisfy(isPlain) { return word }
        guard word.printable != word else {
            return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        var text = "$'"
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\\"): text += "\\" + String(UnicodeScalar(byte))
            case 0x20..<0x7F: text += String(UnicodeScalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text + "'"
    }
}
