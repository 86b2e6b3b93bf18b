import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// What a check says of segments together: leaks, and labels that overlap in time.
@Suite struct SegmentCheckTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    private func write(_ name: String, _ clip: Clip) throws { try ClipFile.write(clip, to: box(name)) }

    /// Frames of 8 x 8 random squares.
    private func clip(_ seed: UInt64, frames: Int) -> Clip {
        var random = RandomGenerator(seed: seed)
        let shape = ClipShape(frames: frames, channels: 1, rows: 32, columns: 32)
        let cells = (0..<frames * 64).map { _ in UInt8(random.below(256)) }
        let values = (0..<shape.count).map { (at: Int) -> UInt8 in
            let (frame, row, column) = (at / 1024, at / 32 % 32, at % 32)
            return cells[frame * 64 + row / 4 * 8 + column / 4]
        }
        return Clip(shape: shape, pixels: .bytes(values), framesPerSecond: 10)
    }

    /// Segments of one video look alike: only those of different splits that overlap are leaks, and one for each video.
    @Test func leaksOfSegments() async throws {
        let one = clip(1, frames: 1)
        let still = one.selecting([Int](repeating: 0, count: 60), framesPerSecond: 10)
        try write("still.bin", still)
        try write("copy.bin", one.selecting([Int](repeating: 0, count: 20), framesPerSecond: 10))
        let rows = [
            ("still.bin#t=0,1", "a", "train"), ("still.bin#t=1,2", "b", "train"), ("still.bin#t=2,3", "a", "train"),
            ("still.bin#t=3,4", "b", "test"), ("still.bin#t=4,5", "a", "test"), ("still.bin#t=0.5,2.5", "b", "val"),
        ]
        func leaks(_ rows: [(String, String, String)]) async throws -> [[String]] {
            let data = try DataSet.table(rows.map { ($0.0, $0.1) }, splits: rows.map(\.2), in: box)
            let report = try await DataCheck().run(data)
            return try #require(report.leaks).map { [report.clips[$0.first].entry.id, report.clips[$0.second].entry.id] }
        }
        #expect(try await leaks(Array(rows.dropLast())) == [])
        #expect(try await leaks(rows).count == 1)
        #expect(try await leaks(rows)[0][1] == "still.bin#t=0.5,2.5")
        let others = try await leaks(Array(rows[..<3]) + [("copy.bin", "a", "test")])
        #expect(others.count == 3 && others.allSatisfy { $0[1] == "copy.bin" })
    }

    @Test func overlapsOfLabels() async throws {
        try write("v.bin", clip(1, frames: 100))
        try write("w.bin", clip(2, frames: 100))
        let rows = [
            ("v.bin#t=0,4", "walk", "train"), ("./v.bin#t=3,6", "run", "train"), ("v.bin#t=6,8", "walk", "train"),
            ("v.bin#frame=70,80", "run", "train"), ("v.bin#t=3.5,5", "run", "train"), ("w.bin#t=0,4", "run", "train"),
            ("w.bin#t=3,5", "walk", "test"), ("w.bin#t=4,4.5", "walk", "train"),
        ]
        let data = try DataSet.table(rows.map { ($0.0, $0.1) }, splits: rows.map(\.2), in: box)
        let report = try await DataCheck().run(data)
        let ids = report.overlaps.map { [rows[$0.first].0, rows[$0.second].0] }
        #expect(
            ids == [["v.bin#t=0,4", "./v.bin#t=3,6"], ["v.bin#t=0,4", "v.bin#t=3.5,5"], ["v.bin#t=6,8", "v.bin#frame=70,80"]])
        #expect(report.overlaps.map(\.range) == [3..<4, 3.5..<4, 7..<8])
        #expect(report.bad.isEmpty)
        let remark = try #require(report.remarks.first { $0.contains("overlap in time") })
        #expect(
            remark.hasPrefix(
                "3 pairs of segments overlap in time under different labels, for example v.bin#t=0,4 (walk) and ./v.bin#t=3,6 (run) from 3 to 4 s"
            ))
        let overlaps = try #require(report.document["overlaps"]?.arrayElements)
        #expect(
            overlaps.count == 3 && overlaps[0]["start"]?.doubleValue == 3 && overlaps[0]["second"]?["path"]?.stringValue == "./v.bin#t=3,6")
    }
}
