import VidReport
import VidSystem

/// One JSON array on standard output whose elements are written as they come.
struct JSONArrayOutput {
    private var isEmpty = true
    /// Whether the line of the next element has begun.
    private var isReady = false

    /// Ends the line of the last element. To be called before something is written to standard error that an element follows.
    mutating func prepare() throws {
        guard !isReady else { return }
        try Terminal.output(isEmpty ? "[\n" : ",\n")
        (isEmpty, isReady) = (false, true)
    }

    /// - Returns: false if the reader has gone.
    mutating func add(_ element: JSONNode) throws -> Bool {
        let isOpen = try Terminal.output((isReady ? "" : isEmpty ? "[\n" : ",\n") + element.elementText())
        (isEmpty, isReady) = (false, false)
        return isOpen
    }

    /// - Returns: false if the reader has gone.
    func finish() throws -> Bool { try Terminal.output(isEmpty ? "[]\n" : "\n]\n") }
}
