import Testing
import VidSystem

@Suite struct MachineTests {
    @Test func numbersFitTogether() {
        #expect(!Machine.processorName.isEmpty && !Machine.processorName.contains("\n"))
        #expect(Machine.memoryBytes > 1 << 28)
        #expect(Machine.availableBytes > 0 && Machine.availableBytes <= Machine.memoryBytes)
        #expect(Machine.grantableBytes > 0 && Machine.grantableBytes <= Machine.memoryBytes)
        #expect(Machine.residentBytes > 0 && Machine.residentBytes < Machine.addressSpaceBytes)
    }

    @Test func thePeakCountsMemoryThatWasFreed() {
        let size = 96 << 20
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        _ = block.initializeMemory(as: UInt8.self, repeating: 1)
        #expect(Machine.addressSpaceBytes >= size)
        block.deallocate()
        #expect(Machine.peakResidentBytes >= size)
    }
}
