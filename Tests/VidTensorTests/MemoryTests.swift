import Testing
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct BufferTests {
    @Test(arguments: [0, 1, 17, 3 << 20])
    func isAlignedAndZeroed(_ count: Int) {
        let buffer = Buffer(count: count)
        #expect(UInt(bitPattern: buffer.base) % 64 == 0)
        #expect(buffer.tensor([count]).array.allSatisfy { $0 == 0 })
    }

    @Test func runningOutIsAnError() {
        let error = #expect(throws: VidclassError.self) { try Buffer(allocating: 1 << 53) }
        #expect(error?.kind == .other && error?.message.hasPrefix("out of memory: 34359738368 MiB") == true)
    }

    @Test func viewsShareTheMemory() {
        let buffer = Buffer(count: 12)
        let whole = buffer.tensor([3, 4])
        let values = (0..<12).map(Float.init)
        whole.copy(from: values)
        #expect(whole.rows(1..<3).array == values.suffix(8))
        #expect(buffer.tensor([2, 2], offset: 8).array == [8, 9, 10, 11])
        #expect(whole.reshaped([2, 6]).rows(1..<2).array == values.suffix(6))
    }
}

@Suite struct WorkspaceTests {
    @Test func partsAreAlignedAndDoNotOverlap() {
        let workspace = Workspace()
        let sizes = [1, 17, 100_000, 3, 70_000]
        let parts = sizes.map { workspace.take([$0]) }
        for (index, part) in parts.enumerated() {
            #expect(UInt(bitPattern: part.base) % 64 == 0)
            part.fill(Float(index))
        }
        for (index, part) in parts.enumerated() { #expect(part.array.allSatisfy { $0 == Float(index) }) }
        #expect(workspace.takeZeroed([33]).array.allSatisfy { $0 == 0 })
    }

    @Test func aReservationThatFailsLeavesItUsable() throws {
        let workspace = Workspace()
        #expect(throws: VidclassError.self) { try workspace.reserve(bytes: 1 << 57) }
        #expect(workspace.bytes == 0 && workspace.takeZeroed([3]).array == [0, 0, 0])
        workspace.reset()
        try workspace.reserve(bytes: 1 << 20)
        #expect(workspace.bytes == 1 << 20)
    }

    @Test func releasedMemoryIsGivenOutAgain() {
        let workspace = Workspace()
        _ = workspace.take([100])
        let mark = workspace.mark
        let first = workspace.take([1000])
        workspace.release(to: mark)
        #expect(workspace.take([10]).base == first.base)
    }

    @Test func aSecondStepAllocatesNothing() {
        let workspace = Workspace()
        func step() { for size in [10, 100_000, 80_000, 5, 200_000] { _ = workspace.take([size]) } }
        step()
        workspace.reset()
        let bytes = workspace.bytes
        let first = workspace.take([1]).base
        workspace.reset()
        for _ in 0..<3 {
            step()
            workspace.reset()
            #expect(workspace.bytes == bytes)
            #expect(workspace.take([1]).base == first)
            workspace.reset()
        }
    }
}
