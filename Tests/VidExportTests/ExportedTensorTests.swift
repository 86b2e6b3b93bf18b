import Testing
import VidExport
import VidTensor

@Suite struct ExportedTensorTests {
    private let matrix: ModelTensor

    /// 0 1 2 3 / 4 5 6 7.
    init() throws { matrix = try ModelTensor(constant: (0..<8).map(Float.init), [2, 4]) }

    @Test func axesAreExchanged() {
        let tensor = matrix.exported(as: "t", order: [1, 0])
        #expect(tensor.shape == [4, 2])
        #expect(tensor.values() == [0, 4, 1, 5, 2, 6, 3, 7])
    }

    @Test func blocksAreReorderedScaledAndShifted() {
        let columns = matrix.axis(1).blocks([1, 0])
        #expect(ExportedTensor(name: "t", matrix, axes: [matrix.axis(0), columns]).values() == [2, 3, 0, 1, 6, 7, 4, 5])
        let scaled = matrix.axis(1).scaled([1, 10])
        #expect(ExportedTensor(name: "t", matrix, axes: [matrix.axis(0), scaled]).values() == [0, 1, 20, 30, 4, 5, 60, 70])
        #expect(ExportedTensor(name: "t", matrix, axes: [matrix.axis(1).shifted(by: 4)]).values() == [4, 5, 6, 7])
        let padded = matrix.axis(0) + .zeros(1)
        #expect(ExportedTensor(name: "t", matrix, axes: [padded, matrix.axis(1)]).values() == [0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0])
    }

    /// Every number is compared, by its own indices.
    @Test func anyChangedNumberIsFound() {
        for tensor in [
            matrix.exported(as: "t", order: [1, 0]),
            ExportedTensor(name: "t", matrix, axes: [matrix.axis(1).blocks([1, 0]).scaled([3, 1]), matrix.axis(0) + .zeros(1)]),
        ] {
            let values = tensor.values()
            #expect(tensor.difference(in: values) == nil)
            for index in values.indices {
                var changed = values
                changed[index] = changed[index].nextUp
                let difference = tensor.difference(in: changed)
                #expect(difference?.index == index && difference?.expected == values[index] && difference?.found == changed[index])
            }
        }
    }
}
