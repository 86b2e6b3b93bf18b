import Testing
import VidConfig
import VidData
import VidTensor
import VidTestSupport

@Suite struct ClipAugmentationTests {
    static let shape = ClipShape(frames: 5, channels: 3, rows: 9, columns: 14)

    static func configured(_ change: (inout AugmentationConfiguration) -> Void) -> AugmentationConfiguration {
        var configuration = AugmentationConfiguration()
        change(&configuration)
        return configuration
    }

    static let everything = configured {
        $0.horizontalFlip = 0.5
        $0.randomResizedCrop.scale = 0.4
        $0.brightness = 0.3
        $0.contrast = 0.3
        $0.saturation = 0.5
        $0.rotation = 12
        $0.frameDrop = 0.2
        $0.timeReverse = 0.5
    }

    static func draw(_ configuration: AugmentationConfiguration, stream: UInt64, seed: UInt64 = 9) -> ClipAugmentation {
        ClipAugmentation(configuration, seed: seed, stream: stream, rows: shape.rows, columns: shape.columns)
    }

    @Test func nothingToChange() {
        let clip = patternClip(ClipAugmentationTests.shape, framesPerSecond: 3)
        let none = AugmentationConfiguration()
        #expect(!none.changesClips)
        for stream in 0..<UInt64(20) {
            let augmentation = ClipAugmentationTests.draw(none, stream: stream)
            #expect(augmentation.changePixels(clip) == clip && augmentation.places(5) == Array(0..<5))
        }
    }

    /// Frequencies and ranges over 1,000 streams: within four standard deviations.
    @Test func statistics() {
        let draws = (0..<UInt64(1000)).map { ClipAugmentationTests.draw(ClipAugmentationTests.everything, stream: $0) }
        for share in [draws.count { $0.geometry.isMirrored }, draws.count { $0.order.isReversed }] { #expect(abs(share - 500) <= 64) }
        let angles = draws.map(\.geometry.rotation)
        #expect(angles.allSatisfy { abs($0) <= 12 } && abs(angles.reduce(0, +) / 1000) <= 0.9)
        #expect(angles.contains { $0 > 11.5 } && angles.contains { $0 < -11.5 })
        for (factors, most) in [
            (draws.map(\.colour.brightness), Float(0.3)), (draws.map(\.colour.contrast), 0.3), (draws.map(\.colour.saturation), 0.5),
        ] {
            #expect(factors.allSatisfy { 1 - most <= $0 && $0 <= 1 + most })
            #expect(abs(factors.reduce(0, +) / 1000 - 1) <= 0.08 * most)
            #expect((factors.max() ?? 0) > 1 + 0.95 * most && (factors.min() ?? 9) < 1 - 0.95 * most)
        }
        let dropped = draws.reduce(0) { sum, draw in
            let places = draw.places(5)
            let forward = draw.order.isReversed ? places.reversed() : places
            return sum + forward.indices.dropFirst().count { forward[$0] == forward[$0 - 1] }
        }
        #expect(abs(dropped - 800) <= 101)
        let factorsBeyondOne = ClipAugmentationTests.configured { $0.brightness = 3 }
        #expect(
            (0..<UInt64(300)).allSatisfy { (0...4).contains(ClipAugmentationTests.draw(factorsBeyondOne, stream: $0).colour.brightness) })
    }

    /// The draws of one setting do not depend on the others.
    @Test func drawsAreApart() {
        for stream in 0..<UInt64(50) {
            let all = ClipAugmentationTests.draw(ClipAugmentationTests.everything, stream: stream)
            let flip = ClipAugmentationTests.draw(ClipAugmentationTests.configured { $0.horizontalFlip = 0.5 }, stream: stream)
            let turn = ClipAugmentationTests.draw(ClipAugmentationTests.configured { $0.rotation = 12 }, stream: stream)
            let drop = ClipAugmentationTests.draw(ClipAugmentationTests.configured { $0.frameDrop = 0.2 }, stream: stream)
            #expect(flip.geometry.isMirrored == all.geometry.isMirrored)
            #expect(turn.geometry.rotation == all.geometry.rotation)
            #expect((all.order.isReversed ? all.places(9).reversed() : all.places(9)) == drop.places(9))
        }
        #expect(
            ClipAugmentationTests.draw(ClipAugmentationTests.everything, stream: 1)
                == ClipAugmentationTests.draw(ClipAugmentationTests.everything, stream: 1))
        #expect(
            ClipAugmentationTests.draw(ClipAugmentationTests.everything, stream: 1)
                != ClipAugmentationTests.draw(ClipAugmentationTests.everything, stream: 1, seed: 8))
    }

    /// Boxes are inside the frame, have the allowed areas and ratios up to rounding, and reach every edge.
    @Test func crops() {
        var configuration = RandomResizedCropConfiguration()
        configuration.scale = 0.25
        configuration.ratio = 1.5
        let (rows, columns) = (90, 140)
        var areas = 0.0
        var (sawTop, sawBottom, sawLeft, sawRight) = (false, false, false, false)
        for stream in 0..<UInt64(2000) {
            var random = RandomGenerator(seed: 2, stream: stream)
            let box = CropBox.random(configuration, rows: rows, columns: columns, &random)
            var other = RandomGenerator(seed: 2, stream: stream)
            for _ in 0..<40 { _ = other.nextWord() }
            #expect(random == other)
            #expect(box.top >= 0 && box.left >= 0 && box.top + box.rows <= rows && box.left + box.columns <= columns)
            let area = Double(box.rows * box.columns) / Double(rows * columns)
            let ratio = Double(box.columns * rows) / Double(box.rows * columns)
            // A side is rounded by half a pixel of at least 36.
            #expect((0.25 * 0.97...1).contains(area) && (0.97 / 1.5...1.5 * 1.03).contains(ratio))
            areas += area
            sawTop = sawTop || box.top == 0
            sawLeft = sawLeft || box.left == 0
            sawBottom = sawBottom || box.top + box.rows == rows
            sawRight = sawRight || box.left + box.columns == columns
        }
        #expect(sawTop && sawBottom && sawLeft && sawRight)
        // Uniform from 0.25 to 1, but large boxes of other shapes do not fit: below the mean of 0.625.
        #expect((0.5...0.625).contains(areas / 2000))
        var random = RandomGenerator(seed: 2)
        #expect(CropBox.random(RandomResizedCropConfiguration(), rows: 7, columns: 5, &random) == .whole(rows: 7, columns: 5))
        #expect(CropBox.random(configuration, rows: 1, columns: 1, &random) == .whole(rows: 1, columns: 1))
    }

    @Test func frameOrder() {
        var random = RandomGenerator(seed: 1)
        #expect(FrameOrder(dropProbability: 0, isReversed: true).places(4, &random) == [3, 2, 1, 0])
        #expect(FrameOrder(dropProbability: 1, isReversed: false).places(4, &random) == [0, 0, 0, 0])
        #expect(FrameOrder(dropProbability: 1, isReversed: true).places(1, &random) == [0])
        for _ in 0..<100 {
            let places = FrameOrder(dropProbability: 0.5, isReversed: false).places(9, &random)
            #expect(places[0] == 0)
            for place in 1..<9 { #expect(places[place] == place || places[place] == places[place - 1]) }
        }
    }

    /// A mirrored clip has its columns reversed, in every frame, for floats as for bytes.
    @Test func mirroring() {
        let clip = patternClip(ClipAugmentationTests.shape)
        let flip = ClipAugmentationTests.draw(ClipAugmentationTests.configured { $0.horizontalFlip = 1 }, stream: 0)
        guard case .bytes(let values) = clip.pixels else { return }
        let columns = clip.shape.columns
        let expected = values.indices.map { values[$0 / columns * columns + columns - 1 - $0 % columns] }
        #expect(flip.changePixels(clip).pixels == .bytes(expected))
        #expect(flip.changePixels(flip.changePixels(clip)) == clip)
        let floats = Clip(shape: clip.shape, pixels: .floats(values.map(Float.init)))
        #expect(flip.changePixels(floats).pixels == .floats(expected.map(Float.init)))
    }

    /// Equal frames stay equal whatever is drawn; bytes stay bytes.
    @Test func framesChangeAlike() {
        let frame = patternClip(ClipShape(frames: 1, channels: 3, rows: 9, columns: 14))
        let still = frame.selecting([0, 0, 0, 0, 0])
        var results: Set<String> = []
        for stream in 0..<UInt64(20) {
            let changed = ClipAugmentationTests.draw(ClipAugmentationTests.everything, stream: stream).changePixels(still)
            #expect(changed.element == .uint8 && changed == changed.selecting([4, 3, 2, 1, 0]))
            results.insert(changed.contentHash)
        }
        #expect(results.count == 20)
    }

    /// The frame is cropped, then mirrored, then rotated; the values of a slope show the place.
    @Test func geometryInOrder() {
        let crop = CropBox(top: 1, left: 2, rows: 4, columns: 6)
        let geometry = FrameGeometry(crop: crop, isMirrored: true, rotation: 0)
        let map = geometry.map(rows: 8, columns: 12)
        // The first pixel of a row comes from the right of the box: columns 2...7, a quarter pixel before its end.
        #expect(abs(map.x0 - 7.25) <= 1e-12 && abs(map.xx + 0.5) <= 1e-12)
        #expect(abs(map.y0 - 0.75) <= 1e-12 && abs(map.yy - 0.5) <= 1e-12)
        let turned = FrameGeometry(crop: crop, isMirrored: true, rotation: 33).map(rows: 8, columns: 12)
        // The centre stays where it is.
        for map in [map, turned] {
            let column: Double = map.xx * 5.5 + map.xy * 3.5 + map.x0
            let row: Double = map.yx * 5.5 + map.yy * 3.5 + map.y0
            #expect(abs(column - 4.5) <= 1e-12)
            #expect(abs(row - 2.5) <= 1e-12)
        }
    }
}
