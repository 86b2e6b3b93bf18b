import Synchronization

/// Command lines that can be pasted into a shell. Every command and every setting that a message names is made here.
package enum ShellText {
    /// The words, quoted where necessary.
    package static func command(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    /// A call of this program, which a user can paste in the folder where the message was printed. Words in capitals, such as FILE,
    /// are for the user to fill in; paths go through `path`.
    package static func vidclass(_ words: String...) -> String { vidclass(words) }
    package static func vidclass(_ words: [String]) -> String { command([program.withLock { $0 }] + words) }

    /// An option that changes one value of a configuration: `--set training.epochs=3`.
    package static func setting(_ key: String, _ value: String) -> String { command(["--set", key + "=" + value]) }

    /// The path, with `./` in front if a program would read it as an option.
    package static func path(_ path: String) -> String { path.utf8.first == UInt8(ascii: "-") ? "./" + path : path }

    /// Sets how the user can call this program: by a name that the shell finds, or by a path.
    package static func call(programAs name: String) { program.withLock { $0 = name } }

    private static let program = Mutex("vidclass")

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
