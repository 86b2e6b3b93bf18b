import Testing
import VidData
import VidTensor
import VidTestSupport

@Suite struct FramePrintsTests {
    /// A frame of `side` x `side` whose values are a smooth function of their place, moved by `shift` and brightened by `light`.
    static func frame(_ shift: Int = 0, light: Int = 0) -> [UInt8] {
        (0..<FramePrints.side * FramePrints.side).map { at in
            let (row, column) = (at / FramePrints.side, at % FramePrints.side)
            return UInt8(max(0, min(255, 40 + row * 3 + (column + shift) % 32 * 3 + light)))
        }
    }

    @Test func flatFramesAreLeftOut() {
        let flat = [UInt8](repeating: 17, count: 1024)
        let nearlyFlat = (0..<1024).map { UInt8(16 + $0 % 4) }
        #expect(FramePrints(frames: [flat, nearlyFlat]).count == 0)
        let prints = FramePrints(frames: [flat, FramePrintsTests.frame(), flat])
        #expect(prints.count == 1)
        #expect(prints.cells.count == FramePrints.size)
    }

    @Test func cellsAreMeansOfFour() {
        var frame = [UInt8](repeating: 0, count: 1024)
        frame[0] = 255
        frame[1] = 255
        frame[32] = 255
        frame[33] = 254
        for at in 512..<1024 { frame[at] = 200 }
        let prints = FramePrints(frames: [frame])
        #expect(prints.cells[0] == 255)
        #expect(prints.cells[1] == 0)
        #expect(prints.cells[255] == 200)
    }

    /// The prints of an array are those of the middle square of its frames, whatever its size and type.
    @Test(arguments: [(32, 32), (64, 96), (96, 64), (20, 40), (8, 8)])
    func ofArrays(rows: Int, columns: Int) {
        let shape = ClipShape(frames: 2, channels: 1, rows: rows, columns: columns)
        let square = min(rows, columns)
        func value(_ at: Int) -> Int {
            let (row, column) = (at / columns % rows - (rows - square) / 2, at % columns - (columns - square) / 2)
            return max(0, min(255, row * 120 / square + column * 120 / square))
        }
        let bytes = Clip(shape: shape, pixels: .bytes((0..<shape.count).map { UInt8(value($0)) }))
        let prints = FramePrints(bytes)
        #expect(prints.count == 2)
        #expect(prints.cells[0] <= 20)
        #expect(prints.cells[255] >= 195)
        #expect(Array(prints.cells.prefix(256)) == Array(prints.cells.suffix(256)))
        // Floats of another range have the same prints, because they are scaled to 0...255.
        let low = (0..<shape.count).map(value).min() ?? 0
        let high = (0..<shape.count).map(value).max() ?? 1
        let stretched = Clip(shape: shape, pixels: .bytes((0..<shape.count).map { UInt8((value($0) - low) * 255 / (high - low)) }))
        let floats = Clip(shape: shape, pixels: .floats((0..<shape.count).map { Float(value($0)) * 0.01 - 7 }))
        let (a, b) = (FramePrints(stretched), FramePrints(floats))
        #expect(zip(a.cells, b.cells).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
    }

    @Test func likeness() {
        let prints = FramePrints(frames: [FramePrintsTests.frame(), FramePrintsTests.frame(light: 6), FramePrintsTests.frame(16)])
        prints.cells.withUnsafeBufferPointer { cells in
            guard let base = cells.baseAddress else { return }
            #expect(FramePrints.areAlike(base, base + 256, limit: 6))
            #expect(!FramePrints.areAlike(base, base + 256, limit: 5))
            #expect(!FramePrints.areAlike(base, base + 512, limit: 20))
            #expect(abs(FramePrints.difference(base, base + 256) - 6) <= 1e-9)
        }
        // The hash does not depend on brightness.
        #expect(prints.hash(0) == prints.hash(1))
        #expect((prints.hash(0) ^ prints.hash(2)).nonzeroBitCount > 12)
        #expect(prints.hash(0).nonzeroBitCount >= 32)
    }

    /// Against the definition: sums of 2 x 2 cells, compared with the 33rd of them in order.
    @Test func hashByItsDefinition() throws {
        var random = RandomGenerator(seed: 7)
        // Whole range, few levels (many equal sums), the extremes, all equal.
        let cells = [0...255, 100...103, 0...0, 255...255].flatMap { (levels: ClosedRange<Int>) in
            (0..<2 * FramePrints.size).map { _ in UInt8(levels.lowerBound + Int(random.nextWord()) % levels.count) }
        }
        let prints = try #require(FramePrints(cells: cells, count: 8))
        for index in 0..<8 {
            let sums = (0..<64).map { block in
                let corner = index * FramePrints.size + block / 8 * 32 + block % 8 * 2
                return [0, 1, 16, 17].reduce(0) { $0 + Int(cells[corner + $1]) }
            }
            let median = sums.sorted()[32]
            let expected = (0..<64).reduce(UInt64(0)) { $0 | (sums[$1] >= median ? 1 << UInt64($1) : 0) }
            #expect(prints.hash(index) == expected, "print \(index)")
        }
    }

    @Test(arguments: [
        (VideoDamage(decodingErrors: 93, missingFrames: 13), "93 decoding errors, 13 of 200 frames missing"),
        (.init(decodingErrors: 1, skippedBytes: 188), "1 decoding error, 188 bytes skipped"), (.init(skippedBytes: 1), "1 byte skipped"),
    ])
    func damageInWords(damage: VideoDamage, text: String) {
        var facts = ClipFacts(
            kind: "video", coding: "h264", frames: 187, channels: 3, rows: 48, columns: 64, framesPerSecond: 25, digest: "ab12",
            prints: FramePrints(frames: []))
        #expect(facts.damageText == nil)
        facts.damage = damage
        #expect(facts.damageText == text)
    }

    @Test func factsAsBytes() {
        let prints = FramePrints(frames: [FramePrintsTests.frame(), FramePrintsTests.frame(5)])
        let facts = ClipFacts(
            kind: "video", coding: "h264", frames: 30, channels: 3, rows: 48, columns: 64, framesPerSecond: 30000.0 / 1001, digest: "ab12",
            prints: prints)
        #expect(ClipFacts(encoded: facts.encoded) == facts)
        #expect(facts.duration.map { abs($0 - 1.001) <= 1e-9 } == true)
        #expect(ClipFacts(encoded: Array(facts.encoded.dropLast())) == nil)
        #expect(ClipFacts(encoded: facts.encoded + [0]) == nil)
        #expect(ClipFacts(encoded: []) == nil)
        #expect(ClipFacts(encoded: Array("4".utf8) + facts.encoded.dropFirst()) == nil)
        // An empty word: found by the fuzzer, because it does not read back the same.
        #expect(ClipFacts(encoded: Array("3 video  1 3 48 64 0 ab12 0 -\n".utf8)) == nil)
        #expect(ClipFacts(encoded: Array("3 video h264 1 3 48 64 0 ab12 0 -\n".utf8)) != nil)
        for damage in [VideoDamage(decodingErrors: 93, missingFrames: 13), .init(skippedBytes: 1 << 20), .init()] {
            var damaged = facts
            damaged.damage = damage
            #expect(ClipFacts(encoded: damaged.encoded) == damaged)
        }
        var odd = facts
        odd.coding = "two words"
        #expect(ClipFacts(encoded: odd.encoded)?.coding == "two_words")
    }
}
