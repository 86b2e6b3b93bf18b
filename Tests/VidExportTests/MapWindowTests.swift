import Testing
import VidExport
import VidModel
import VidTensor

@Suite struct MapWindowTests {
    /// TensorFlow's rule: the odd place is behind.
    @Test func samePaddingIsAsymmetric() {
        let window = MapWindow((3, 4), strides: (2, 1), .same, input: [8, 5, 3])
        #expect([window.top, window.bottom, window.left, window.right] == [0, 1, 1, 2])
        let odd = MapWindow((3, 3), strides: (2, 2), .same, input: [7, 7, 3])
        #expect([odd.top, odd.bottom, odd.left, odd.right] == [1, 1, 1, 1])
        #expect(!MapWindow((2, 2), strides: (3, 3), .same, input: [6, 8, 1]).isPadded)
    }

    @Test func otherPaddingsAreAsGiven() {
        let window = MapWindow((3, 3), strides: (2, 2), .zeros(top: 1, bottom: 2, left: 3, right: 4), input: [8, 8, 3])
        #expect([window.top, window.bottom, window.left, window.right] == [1, 2, 3, 4])
        #expect(!MapWindow((3, 3), strides: (1, 1), .valid, input: [8, 8, 3]).isPadded)
    }
}
