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
        let rgb = canvas.rgb
        func has(_ red: Int, _ green: Int, _ blue: Int) -> Bool {
            for pixel in stride(from: 0, to: rgb.count, by: 3)
            where abs(Int(rgb[pixel]) - red) < 3 && abs(Int(rgb[pixel + 1]) - green) < 3 && abs(Int(rgb[pixel + 2]) - blue) < 3 {
                return true
            }
            return false
        }
        #expect(has(128, 128, 128) && has(0, 114, 178) && has(213, 94, 0) && has(215, 217, 153))
        #expect(canvas.width <= 1280)
        #expect(try strip.png().starts(with: [0x89, 0x50, 0x4E, 0x47]))
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
