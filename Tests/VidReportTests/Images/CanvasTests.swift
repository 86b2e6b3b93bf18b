import Testing
import VidReport
import VidSystem
import VidTensor

@Suite struct CanvasTests {
    @Test func pixelsStandWhereTheyAreDrawn() throws {
        let canvas = try Canvas(width: 8, height: 6)
        canvas.draw(rgb: [10, 20, 30, 40, 50, 60], rows: 1, columns: 2, x: 2, y: 3, width: 2, height: 1)
        canvas.fill(x: 0, y: 0, width: 1, height: 1, .init(1, 0, 0))
        let rgb = canvas.rgb
        func pixel(_ x: Int, _ y: Int) -> [UInt8] { Array(rgb[(y * 8 + x) * 3..<(y * 8 + x) * 3 + 3]) }
        #expect(pixel(0, 0) == [255, 0, 0])
        #expect(pixel(1, 0) == [255, 255, 255])
        #expect(pixel(2, 3) == [10, 20, 30])
        #expect(pixel(3, 3) == [40, 50, 60])
        #expect(pixel(4, 3) == [255, 255, 255])
    }

    @Test func textLeavesInkAndPNGHasItsSignature() throws {
        let canvas = try Canvas(width: 60, height: 20)
        canvas.text("Wh", x: 30, y: 15, size: 14, anchor: .middle)
        #expect(canvas.rgb.contains { $0 < 64 })
        #expect(canvas.textWidth("Wh", size: 14) > 10)
        #expect(try canvas.png().starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
    }

    @Test(arguments: [0, 32768]) func sidesOutOfBoundsAreRefused(_ side: Int) {
        #expect(throws: VidclassError.self) { _ = try Canvas(width: side, height: 1) }
    }
}
