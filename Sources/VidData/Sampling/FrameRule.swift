/// Says which frames of a file are taken, once it is known how many the file has and at what rate they follow each other.
package protocol FrameRule: Sendable {
    /// The frames taken of `count` frames at `sourceRate` a second (0 = unknown): at least one, rising, each once. `path` is
    /// for the error.
    func indices(of count: Int, sourceRate: Double, path: String) throws -> [Int]
}

extension FrameSelection: FrameRule {}
