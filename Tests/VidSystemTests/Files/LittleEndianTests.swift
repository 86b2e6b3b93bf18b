import Testing
import VidSystem

@Suite struct LittleEndianTests {
    @Test func theLowestByteComesFirst() {
        #expect(LittleEndian.bytes(UInt32(0x0102_0304)) == [4, 3, 2, 1])
        #expect(LittleEndian.bytes(Int16(-2)) == [0xFE, 0xFF])
        #expect(LittleEndian.bytes(UInt8(7)) == [7])
    }

    @Test func valuesAreReadAtAnyOffset() {
        let bytes: [UInt8] = [9, 4, 3, 2, 1, 0xFF]
        #expect(LittleEndian.value(bytes, 1, as: UInt32.self) == 0x0102_0304)
        #expect(LittleEndian.value(bytes, 4, as: Int16.self) == -255)
        for number in [Int64.min, -1, 0, 1, .max] { #expect(LittleEndian.value([0, 0, 0] + LittleEndian.bytes(number), 3) == number) }
    }
}
