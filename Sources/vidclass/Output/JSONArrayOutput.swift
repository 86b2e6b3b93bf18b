import VidReport
import VidSystem

/// One JSON array on standard output whose elements are written as they come.
struct JSONArrayOutput {
    private var isEmpty = true

    /// - Returns: false if the reader has gone.
    mutating func add(_ element: JSONNode) throws -> Bool {
        let isOpen = try Terminal.output((isEmpty ? "[\n" : ",\n") + element.elementText())
        isEmpty = false
        return isOpen
    }

    /// - Returns: false if the reader has gone.
    func finish() throws -> Bool { try Terminal.output(isEmpty ? "[]\n" : "\n]\n") }
}
