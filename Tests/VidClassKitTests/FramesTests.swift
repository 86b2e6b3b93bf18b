import Testing
import VidClassKit
import VidTestSupport

struct FramesTests {
    private let shape = InputShape(frames: 2, channels: 3, rows: 4, columns: 5)

    @Test func bothLayoutsGiveTheSameFile() throws {
        let box = try TestFolder()
        let first = (0..<120).map { UInt8($0) }
        var last = first
        for (index, value) in first.enumerated() {
            let (frame, channel, pixel) = (index / 60, index / 20 % 3, index % 20)
            last[(frame * 20 + pixel) * 3 + channel] = value
        }
        try Frames(first, shape: shape, framesPerSecond: 25).write(to: box("first.bin"))
        try Frames(last, shape: shape, layout: .channelsLast, framesPerSecond: 25).write(to: box("last.bin"))
        #expect(try box.bytes("first.bin") == box.bytes("last.bin"))
        // Behind a header of 64 bytes.
        #expect(try Array(box.bytes("first.bin").dropFirst(64)) == first)
    }

    @Test func wrongSizesAreErrors() async throws {
        let bytes = [UInt8](repeating: 1, count: 120)
        let cases: [(InputShape, Double)] = [
            (InputShape(frames: 3, rows: 4, columns: 5), 0), (InputShape(frames: 0, rows: 4, columns: 5), 0),
            (InputShape(frames: -2, channels: -3, rows: 4, columns: 5), 0), (InputShape(frames: 2, channels: 65, rows: 1, columns: 1), 0),
            (InputShape(frames: .max, channels: 64, rows: 16_384, columns: 16_384), 0),
            (InputShape(frames: .min, channels: .min, rows: .max, columns: .max), 0), (shape, -1), (shape, .nan), (shape, .infinity),
        ]
        for (shape, rate) in cases {
            let error = await error { _ = try Frames(bytes, shape: shape, framesPerSecond: rate) }
            #expect(error?.code == .usage, "\(shape), \(rate)")
        }
    }

    @Test func valuesAreFinite() async throws {
        var values = [Float](repeating: 1, count: 120)
        values[70] = .infinity
        let error = await error { _ = try Frames(values, shape: shape) }
        #expect(error?.code == .badData)
        #expect(error?.message == "the frames: expected finite values, found inf in frame 1")
    }

    @Test func filesHaveTheirExtension() async throws {
        let box = try TestFolder()
        let frames = try Frames([UInt8](repeating: 1, count: 120), shape: shape)
        #expect(await error { try frames.write(to: box("clip.mp4")) }?.code == .usage)
        #expect(await error { try frames.write(to: box("none/clip.bin")) } != nil)
        let vectors = try Frames([1, 2, 3, 4, 5, 6] as [Float], shape: InputShape(frames: 3, features: 2))
        #expect(await error { try vectors.write(to: box("clip.bin")) }?.code == .usage)
        try vectors.write(to: box("clip.npy"))
        #expect(try box.bytes("clip.npy").suffix(24).count == 24)
    }
}
