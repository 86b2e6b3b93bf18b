import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct SyntheticTests {
    /// The bytes of each frame of a clip.
    static func frames(_ clip: Clip) -> [[UInt8]] {
        guard case .bytes(let values) = clip.pixels else { return [] }
        let size = clip.shape.frameCount
        return (0..<clip.shape.frames).map { Array(values[$0 * size..<($0 + 1) * size]) }
    }

    static func sorted(_ frames: [[UInt8]]) -> [[UInt8]] { frames.sorted { $0.lexicographicallyPrecedes($1) } }

    /// The class is only in the order: a scene shows the same frames in every class, byte for byte.
    @Test(arguments: [(4, 8), (8, 8), (4, 16), (8, 16), (3, 10), (4, 20), (8, 7)])
    func classesShowTheSameFrames(classes: Int, frames: Int) throws {
        let synth = try SyntheticClips(classes: classes, frames: frames, rows: 16, columns: 20, seed: 3)
        for scene in 0..<4 {
            let clips = (0..<classes).map { SyntheticTests.frames(synth.clip(label: $0, scene: scene)) }
            let first = SyntheticTests.sorted(clips[0])
            for label in 1..<classes {
                #expect(SyntheticTests.sorted(clips[label]) == first, "class \(label)")
                #expect(clips[label] != clips[0], "class \(label)")
            }
        }
    }

    /// Opposite directions are reversed in time, on the circle of the lattice's frames.
    @Test func oppositesAreReversed() throws {
        let synth = try SyntheticClips(classes: 4, frames: 8, rows: 16, columns: 16, seed: 5)
        for (label, opposite) in [(0, 1), (2, 3)] {
            let there = SyntheticTests.frames(synth.clip(label: label, scene: 9))
            let back = SyntheticTests.frames(synth.clip(label: opposite, scene: 9))
            #expect(back[0] == there[0])
            #expect(back.dropFirst().elementsEqual(there.dropFirst().reversed()))
        }
    }

    /// The first frame (any frame) is equally likely in every class: its point is drawn uniformly, and every point of the
    /// lattice occurs at every time.
    @Test(arguments: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 24, 32, 37, 48, 64, 67, 100])
    func walks(frames: Int) {
        let order = SyntheticOrder(frames: frames)
        for direction in 0..<4 {
            for time in 0..<frames {
                let points = (0..<order.length).map { order.walk(direction: direction, start: $0, frames: frames)[time] }
                #expect(Set(points).count == order.length)
            }
        }
        if frames % order.length == 0 {
            let counts = (0..<4).map { direction in
                order.walk(direction: direction, start: 1, frames: frames).reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(counts.allSatisfy { $0 == [Int: Int](uniqueKeysWithValues: (0..<order.length).map { ($0, frames / order.length) }) })
        } else {
            #expect([2, 3, 4, 6, 67].contains(frames))
        }
    }

    /// `right` goes mainly right, and so on; every step is less than half of the period.
    @Test(arguments: [5, 7, 8, 10, 16, 30])
    func directionsAreWhatTheyAreCalled(frames: Int) {
        let order = SyntheticOrder(frames: frames)
        for (direction, expected) in [(0, (1, 0)), (1, (-1, 0)), (2, (0, -1)), (3, (0, 1))] {
            let walk = order.walk(direction: direction, start: 0, frames: 2)
            func step(_ a: Float, _ b: Float) -> Float { b - a - (b - a).rounded() }
            let from = order.point(walk[0])
            let to = order.point(walk[1])
            let dx = step(from.0, to.0)
            let dy = step(from.1, to.1)
            let along = expected.0 == 0 ? dy * Float(expected.1) : dx * Float(expected.0)
            #expect(along > abs(expected.0 == 0 ? dx : dy))
            #expect(along < 0.5)
        }
    }

    /// The disc, located by its bright pixels, moves as its class defines.
    @Test func theDiscMoves() throws {
        let synth = try SyntheticClips(classes: 4, frames: 10, rows: 40, columns: 40, seed: 2)
        // The mean position on the circle of columns (rows) of what is brighter than the ground can be (62 + noise).
        func centre(_ frame: [UInt8]) -> (Double, Double) {
            var sums = (0.0, 0.0, 0.0, 0.0)
            for pixel in 0..<1600 where (0..<3).contains(where: { frame[$0 * 1600 + pixel] > 80 }) {
                let (row, column) = pixel.quotientAndRemainder(dividingBy: 40)
                let (x, y) = (Double(column) / 40 * 2 * .pi, Double(row) / 40 * 2 * .pi)
                sums = (sums.0 + cos(x), sums.1 + sin(x), sums.2 + cos(y), sums.3 + sin(y))
            }
            return (turns(sums.0, sums.1), turns(sums.2, sums.3))
        }
        for (label, sign) in [(0, 1.0), (1, -1), (2, -1), (3, 1)] {
            var moves: [Double] = []
            for scene in 0..<10 {
                let centres = SyntheticTests.frames(synth.clip(label: label, scene: scene)).map(centre)
                for (a, b) in zip(centres, centres.dropFirst()) {
                    let step = label < 2 ? b.0 - a.0 : b.1 - a.1
                    moves.append(step - step.rounded())
                }
            }
            // Steps are 0.3 of the way; dark stripes move the centre found a little.
            let mean = moves.reduce(0, +) / Double(moves.count)
            #expect(abs(mean - 0.3 * sign) <= 0.05, "class \(label): \(mean)")
        }
    }

    /// The angle of (cosine, sine) in turns.
    private func turns(_ cosine: Double, _ sine: Double) -> Double { atan2(sine, cosine) / (2 * .pi) }

    @Test func sameSeedSameBytes() throws {
        let a = try SyntheticClips(classes: 8, frames: 8, rows: 12, columns: 12, seed: 1)
        let b = try SyntheticClips(classes: 8, frames: 8, rows: 12, columns: 12, seed: 2)
        #expect(a.clip(label: 5, number: 3) == a.clip(label: 5, number: 3))
        #expect(a.clip(label: 5, number: 3) != b.clip(label: 5, number: 3))
        #expect(a.clip(label: 5, number: 3) != a.clip(label: 5, number: 4))
        #expect(a.clip(label: 5, number: 3) != a.clip(label: 6, number: 3))
    }

    @Test func writtenToFolders() async throws {
        let folder = try TestFolder()
        let synth = try SyntheticClips(classes: 3, frames: 5, rows: 8, columns: 8, seed: 4)
        try await synth.write(to: folder("s"), clipsPerClass: 4)
        let data = try DataSet.open(folder("s"), split: .none)
        #expect(data.classes == ["left", "right", "up"])
        #expect(data.entries.count == 12)
        #expect(data.entries.map(\.id).prefix(2) == ["left/000.bin", "left/001.bin"])
        #expect(try ClipFile.read(folder("s/up/003.bin")) == synth.clip(label: 2, number: 3))
        // Writing again gives the same; anything else in the folder is refused.
        try await synth.write(to: folder("s"), clipsPerClass: 4)
        let refused = await failure { try await synth.write(to: folder("s"), clipsPerClass: 2) }
        #expect(refused.message.contains("is not empty (it contains left/002.bin)"))
    }

    // MARK: - Vectors

    private static func rows(_ values: [Float], _ features: Int) -> [[Float]] {
        stride(from: 0, to: values.count, by: features).map { Array(values[$0..<$0 + features]) }
    }

    /// A scene shows the same vectors in every class, in another order, and the same seed gives the same numbers.
    @Test(arguments: [(4, 8, 4), (8, 16, 11)]) func vectorsShowTheirClassInTheOrderOnly(classes: Int, frames: Int, features: Int) throws {
        let synth = try SyntheticVectors(classes: classes, frames: frames, features: features, seed: 3)
        func sorted(_ rows: [[Float]]) -> [[Float]] { rows.sorted { $0.lexicographicallyPrecedes($1) } }
        for scene in 0..<3 {
            let clips = (0..<classes).map { SyntheticTests.rows(synth.values(label: $0, scene: scene), features) }
            #expect(clips[0].count == frames)
            for label in 1..<classes {
                #expect(sorted(clips[label]) == sorted(clips[0]) && clips[label] != clips[0], "class \(label)")
            }
        }
        #expect(
            synth.values(label: 1, number: 2)
                == (try SyntheticVectors(classes: classes, frames: frames, features: features, seed: 3)).values(label: 1, number: 2))
        #expect(synth.values(label: 1, number: 2) != synth.values(label: 1, number: 3))
    }

    /// Two neighbours of a scale each are cosine and sine of the coordinate, which moves as the class is called: each frame by 0.3 of a turn.
    @Test func vectorsTurnTheirWay() throws {
        let synth = try SyntheticVectors(classes: 4, frames: 10, features: 4, seed: 2)
        for (label, first, sign) in [(0, 0, 1.0), (1, 0, -1), (2, 2, -1), (3, 2, 1)] {
            let clips = (0..<40).map { SyntheticTests.rows(synth.values(label: label, number: $0), 4) }
            let all = clips.flatMap { $0 }
            // A feature's middle and half its range: phases are uniform, so that those of many frames cover it.
            let ranges = (first...first + 1).map { feature in
                let values = all.map { Double($0[feature]) }
                return ((values.max() ?? 0) + (values.min() ?? 0), (values.max() ?? 0) - (values.min() ?? 0))
            }
            func angle(_ row: [Float]) -> Double {
                // The second has a phase of a quarter more: cos(a + pi / 2) = -sin(a).
                turns((2 * Double(row[first]) - ranges[0].0) / ranges[0].1, -(2 * Double(row[first + 1]) - ranges[1].0) / ranges[1].1)
            }
            var steps: [Double] = []
            for clip in clips {
                for (before, after) in zip(clip.map(angle), clip.map(angle).dropFirst()) {
                    steps.append(after - before - (after - before).rounded())
                }
            }
            let mean = steps.reduce(0, +) / Double(steps.count)
            #expect(abs(mean - 0.3 * sign) <= 0.01, "class \(label): \(mean)")
        }
    }

    @Test func vectorsAreWrittenAsNumPyDoes() async throws {
        let folder = try TestFolder()
        let synth = try SyntheticVectors(classes: 2, frames: 5, features: 6, seed: 4)
        try await synth.write(to: folder("s"), clipsPerClass: 2)
        let values = synth.values(label: 1, number: 1)
        let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 6), }"
        #expect(try folder.bytes("s/left/001.npy") == FileBytes.npy(dictionary, values.withUnsafeBytes { Array($0) }))
        #expect(try NumpyFile.open(folder("s/left/001.npy")).isVectors)
        #expect(failure { try SyntheticVectors(features: 3) }.message == "features: expected 4 to 16384, found 3")
        #expect(failure { try SyntheticVectors(classes: 5, features: 7) }.message == "features: expected 8 to 16384, found 7")
    }

    @Test func whatIsRefused() {
        #expect(failure { try SyntheticClips(classes: 9) }.message == "classes: expected 2 to 8, found 9")
        #expect(failure { try SyntheticClips(classes: 1) }.kind == .usage)
        #expect(failure { try SyntheticClips(frames: 1) }.message == "frames: expected 2 to 100000, found 1")
        #expect(failure { try SyntheticClips(rows: 7) }.message == "rows: expected 8 to 16384, found 7")
    }
}
