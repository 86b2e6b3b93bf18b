/// Why a text is no JSON document, and where.
package struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    package var position: JSONPosition
    package var message: String

    package init(_ message: String, at position: JSONPosition) {
        self.position = position
        self.message = message
    }

    package var description: String {
        "line \(position.line), column \(position.column): \(message)"
    }
}
