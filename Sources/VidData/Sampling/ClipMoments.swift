/// Where in its file a frame of a loaded clip was.
package struct FrameMoment: Sendable, Equatable {
    /// The frame's number in the file, from 0.
    package let frame: Int
    /// From the file's start; nil where its rate is not known.
    package let seconds: Double?
}

extension ClipLoader {
    /// Where in the file the frames are that `view` takes of it, in the order of the clip; those that complete a short clip are
    /// the frames they repeat.
    package func moments(_ view: ClipView = .whole, of length: ClipLength, path: String) throws -> [FrameMoment] {
        let sampled = try sample(view, of: length.frames, rate: length.framesPerSecond, path: path)
        return sampled.places.map { place in
            let frame = sampled.indices[place]
            return FrameMoment(frame: frame, seconds: length.framesPerSecond > 0 ? Double(frame) / length.framesPerSecond : nil)
        }
    }
}
