import Testing
import VidData
import VidSystem
import VidTensor

@Suite struct CSVTableTests {
    /// Found by fuzzing: a first field that begins with a byte order mark lost it.
    @Test(arguments: ["\u{FEFF}a", "\u{FEFF}\u{FEFF}", "a\u{FEFF}", "a,b", "\"", "\r", "\n", "a\"\"b", " a ", ",\u{301}"])
    func whatIsWrittenReadsBack(_ field: String) throws {
        for fields in [[field, "b"], ["b", field]] {
            let text = CSVText.line(fields) + CSVText.line(fields)
            let table = try CSVTable(Array(text.utf8), path: "table")
            #expect(table.header.map { Array($0.utf8) } == fields.map { Array($0.utf8) })
            #expect(table.records.map { $0.fields.map { Array($0.utf8) } } == [fields.map { Array($0.utf8) }])
        }
    }
}
