import Foundation
import Testing
import VidSystem

@Suite struct ShellTextTests {
    @Test(arguments: [
        ("runs/train", "runs/train"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("ü", "'ü'"), ("a=1", "a=1"),
        ("a\nb", "$'a\\x0ab'"), ("\u{1B}[31m'\\", "$'\\x1b[31m\\'\\\\'"), ("$(rm -rf x)", "'$(rm -rf x)'"), ("~", "'~'"), ("*", "'*'"),
    ])
    func wordsAreQuotedWhereTheyMustBe(word: String, quoted: String) { #expect(ShellText.quoted(word) == quoted) }

    @Test func commandsAndSettings() {
        #expect(ShellText.vidclass("train", "--config", "my config.json") == "vidclass train --config 'my config.json'")
        #expect(ShellText.vidclass("check", ShellText.path("-v"), ShellText.path("-")) == "vidclass check ./-v ./-")
        #expect(ShellText.path("a/-v") == "a/-v")
        #expect(ShellText.setting("training.epochs", "3") == "--set training.epochs=3")
        #expect(ShellText.setting("data.path", "it's") == #"--set 'data.path=it'\''s'"#)
    }

    /// A shell reads the words of a command back.
    @Test func aShellReadsTheWordsBack() throws {
        let words = [
            "plain", "", " ", "it's", "''", "$HOME", "`id`", "$(id)", "a\"b", "a\\b", "\\", "!x", "#c", "a;b", "a&b|c", "<>", "{a,b}",
            "[ab]",
            "~", "-n", "tab\there", "line\nend\n", "bell\u{7}", "\u{1B}[31m", "'\u{1}'\\x41", "漢字 🐈", "\u{202E}abc", "é",
        ]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", "printf '%s\\0' " + ShellText.command(words)]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let read = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { String(decoding: $0, as: UTF8.self) }
        #expect(read == words)
    }
}
