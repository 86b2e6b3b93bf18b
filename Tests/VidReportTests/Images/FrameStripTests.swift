import Testing
import VidData
import VidReport
import VidTensor
import VidTestSupport

@Suite struct FrameStripTests {
    private static func frame(rows: Int = 4, columns: Int = 6, _ value: UInt8 = 128) -> [UInt8] {
        [UInt8](repeating: value, count: rows * columns * 3)
    }

    @Test func aMapIsSpreadBilinearly() {
        let map = HeatMap(rows: 1, columns: 2, values: [0, 1])
        // Middles of the two cells are at 1 and 3 of 4 pixels' width: pixel middles 0.5, 1.5, 2.5, 3.5.
        #expect(map.resized(rows: 1, columns: 4) == [0, 0.25, 0.75, 1])
        #expect(HeatMap(rows: 1, columns: 1, values: [3]).resized(rows: 2, columns: 2) == [3, 3, 3, 3])
    }

    @Test func heatHidesThePictureWhereItIsAndNotElsewhere() {
        let map = HeatMap(rows: 1, columns: 4, values: [0, 0, 1, 1])
        let laid = map.laid(over: FrameStripTests.frame(rows: 1, columns: 4), rows: 1, columns: 4, maximum: 1)
        #expect(Array(laid[0..<6]) == [128, 128, 128, 128, 128, 128])
        // 0.3 of 128 and 0.7 of the table's last colour, (252, 255, 164).
        #expect(Array(laid[6..<9]) == [215, 217, 153])
        #expect(
            map.laid(over: FrameStripTests.frame(rows: 1, columns: 4), rows: 1, columns: 4, maximum: 0)
                == FrameStripTests.frame(rows: 1, columns: 4))
    }

    @Test func theTableOfHeatGrowsLighterAllTheWay() {
        var last: Float = -1
        for step in 0...200 {
            let colour = HeatColours.colour(Float(step) / 200)
            let luma = 0.2126 * colour.red + 0.7152 * colour.green + 0.0722 * colour.blue
            #expect(luma > last)
            last = luma
        }
    }

    @Test(arguments: [1, 2, 5, 16, 17, 40]) func framesAreChosenFromFirstToLast(_ count: Int) {
        let strip = FrameStrip(
            rows: 4, columns: 6, frames: (0..<count).map { _ in FrameStrip.Frame(rgb: FrameStripTests.frame()) })
        let shown = strip.shown
        #expect(shown.count == min(count, 16) && shown.first == 0 && shown.last == count - 1)
        #expect(zip(shown, shown.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func theFrameItsHeatAndItsBarStandUnderEachOther() throws {
        let heat = HeatMap(rows: 2, columns: 2, values: [0, 0, 0, 1])
        let frames = [
            FrameStrip.Frame(rgb: FrameStripTests.frame(rows: 130, columns: 130), caption: "0.0 s", heat: heat, contribution: 1),
            FrameStrip.Frame(rgb: FrameStripTests.frame(rows: 130, columns: 130), caption: "0.5 s", heat: heat, contribution: -0.5),
        ]
        let strip = FrameStrip(rows: 130, columns: 130, frames: frames, title: "clip.mp4: tennis 97.0 %")
        let canvas = try strip.drawn()
        let pixels = Pixels(canvas)
        #expect(pixels.has(128, 128, 128) && pixels.has(215, 217, 153))
        // The longest bar has 48 pixels; the second frame's share is half of the first's.
        #expect(pixels.height(of: (0, 114, 178), in: 0..<canvas.width / 2) == 48)
        #expect(pixels.height(of: (213, 94, 0), in: canvas.width / 2..<canvas.width) == 24)
        #expect(canvas.width <= 1280)
        #expect(try strip.png().starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }

    /// Two frames whose heat differs by a factor of a thousand, with these contributions.
    private func strip(_ contributions: [Float]) -> FrameStrip {
        let maps = [1, 0.001].map { HeatMap(rows: 2, columns: 2, values: [0, 0, 0, $0]) }
        let rgb = FrameStripTests.frame(rows: 130, columns: 130)
        return FrameStrip(
            rows: 130, columns: 130,
            frames: zip(maps, contributions).map { FrameStrip.Frame(rgb: rgb, caption: "0 s", heat: $0, contribution: $1) })
    }

    @Test func eachMapHasItsOwnScale() throws {
        let canvas = try strip([1, 0.01]).drawn()
        for half in [0..<canvas.width / 2, canvas.width / 2..<canvas.width] { #expect(Pixels(canvas).has(215, 217, 153, in: half)) }
        let film = try ExplanationFilm(strip([1, 0.01]))
        for frame in film.frames {
            #expect(Pixels(rgb: frame, width: film.columns).has(215, 217, 153, in: film.columns / 2..<film.columns))
        }
    }

    @Test func aFrameWithoutAShareHasNoMap() throws {
        let canvas = try strip([1, 0.0001]).drawn()
        let right = canvas.width / 2..<canvas.width
        #expect(!Pixels(canvas).has(215, 217, 153, in: right) && Pixels(canvas).has(237, 237, 240, in: right))
        let film = try ExplanationFilm(strip([1, 0.0001]))
        let last = Pixels(rgb: film.frames[1], width: film.columns)
        #expect(!last.has(215, 217, 153) && last.has(237, 237, 240, in: film.columns / 2..<film.columns))
        // Without contributions there are no shares, and all maps are shown.
        let maps = FrameStrip(rows: 130, columns: 130, frames: strip([1, 0]).frames.map { .init(rgb: $0.rgb, heat: $0.heat) })
        let drawn = Pixels(try maps.drawn())
        #expect(drawn.has(215, 217, 153) && !drawn.has(237, 237, 240))
    }

    @Test func sharesAreSizesOfTheirSum() {
        #expect(FrameStrip.shares(of: [3, -1, 0]) == [0.75, 0.25, 0])
        #expect(FrameStrip.shares(of: [.nan, 2, -2]) == [0, 0.5, 0.5])
        #expect(FrameStrip.shares(of: [0, 0]) == [0, 0] && FrameStrip.shares(of: []) == [])
        #expect(
            [1, 0.337, 0.0996, 0.0994, 0.0005, 0.0004, 0].map { FrameStrip.percent($0) }
                == ["100 %", "34 %", "10 %", "9.9 %", "0.1 %", "0 %", "0 %"])
    }

    @Test func contributionsHaveTheirSign() {
        #expect(
            [0.52, -1.3, 12.06, -250.4, -0.001, 0].map { FrameStrip.signed($0) } == ["+0.52", "-1.30", "+12.1", "-250", "+0.00", "+0.00"])
    }

    @Test func longTitlesAndManyFramesStayInThePicture() throws {
        let frames = (0..<40).map { FrameStrip.Frame(rgb: FrameStripTests.frame(), caption: "\($0)", contribution: Float($0) - 20) }
        var strip = FrameStrip(
            rows: 4, columns: 6, frames: frames, title: String(repeating: "a-very-long-name", count: 40), subtitle: "of \u{1F600} 40 frames"
        )
        strip.width = 640
        let canvas = try strip.drawn()
        #expect(canvas.width <= 640)
        strip.mostFrames = 1
        #expect(try strip.drawn().height < canvas.height)
    }

    @Test func clipsOfAnyChannelsAndNumbersBecomePictures() {
        func clip(_ channels: Int, _ pixels: Clip.Pixels) -> Clip {
            Clip(shape: ClipShape(frames: 1, channels: channels, rows: 1, columns: 2), pixels: pixels)
        }
        #expect(FramePixels.rgb(clip(1, .bytes([7, 9]))) == [[7, 7, 7, 9, 9, 9]])
        #expect(FramePixels.rgb(clip(3, .bytes([1, 2, 3, 4, 5, 6]))) == [[1, 3, 5, 2, 4, 6]])
        #expect(FramePixels.rgb(clip(2, .bytes([10, 20, 30, 40]))) == [[20, 20, 20, 30, 30, 30]])
        #expect(FramePixels.rgb(clip(1, .floats([0, 1]))) == [[0, 0, 0, 255, 255, 255]])
        #expect(FramePixels.rgb(clip(1, .floats([-2, 2]))) == [[0, 0, 0, 255, 255, 255]])
        #expect(FramePixels.rgb(clip(1, .floats([0, 200]))) == [[0, 0, 0, 200, 200, 200]])
        #expect(FramePixels.rgb(clip(1, .floats([.nan, 1]))) == [[0, 0, 0, 255, 255, 255]])
    }
}

/// The colours of a picture.
private struct Pixels {
    private let rgb: [UInt8]
    private let width: Int

    init(_ canvas: Canvas) { self.init(rgb: canvas.rgb, width: canvas.width) }

    init(rgb: [UInt8], width: Int) { (self.rgb, self.width) = (rgb, width) }

    /// The rows in which a pixel of these columns has about this colour.
    private func rows(_ color: (Int, Int, Int), in columns: Range<Int>) -> [Int] {
        (0..<rgb.count / 3 / width).filter { row in
            columns.contains { column in
                let at = (row * width + column) * 3
                return abs(Int(rgb[at]) - color.0) < 3 && abs(Int(rgb[at + 1]) - color.1) < 3 && abs(Int(rgb[at + 2]) - color.2) < 3
            }
        }
    }

    func has(_ red: Int, _ green: Int, _ blue: Int, in columns: Range<Int>? = nil) -> Bool {
        !rows((red, green, blue), in: columns ?? 0..<width).isEmpty
    }

    /// The number of rows from the first to the last of this colour among the bars, which are above the legend.
    func height(of color: (Int, Int, Int), in columns: Range<Int>) -> Int {
        let rows = rows(color, in: columns)
        // The legend's square of the same colour is apart from the bar.
        let end = rows.indices.dropLast().first { rows[$0 + 1] - rows[$0] > 3 } ?? rows.count - 1
        return rows.isEmpty ? 0 : rows[end] - rows[0] + 1
    }
}
