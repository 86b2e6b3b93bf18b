import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

@Suite struct AffineWarpTests {
    static let sizes = [(1, 1), (1, 7), (5, 1), (2, 2), (9, 16), (17, 33)]

    static func bytes(_ count: Int, seed: UInt64 = 5) -> [UInt8] {
        var random = RandomGenerator(seed: seed)
        return (0..<count).map { _ in UInt8(random.below(256)) }
    }

    /// Maps of every kind: turned, shrunk, mirrored, far outside.
    static func maps(_ rows: Int, _ columns: Int) -> [AffineMap] {
        let turn = AffineMap.turning(degrees: 23, rows: rows, columns: columns)
        return [
            .identity, .mirror(columns: columns), turn, .turning(degrees: -90, rows: rows, columns: columns),
            AffineMap.resizing(rows: rows, columns: columns, toTop: 0, left: 0, rows: max(1, rows / 2), columns: max(1, columns / 3))
                .after(AffineMap.mirror(columns: columns).after(turn)),
            AffineMap(xx: 3, xy: -1, x0: -40, yx: 0.5, yy: -2, y0: 1e7), AffineMap(xx: 0, xy: 0, x0: 0.25, yx: 0, yy: 0, y0: 0.75),
        ]
    }

    @Test(arguments: sizes)
    func warpIsItsTwin(_ rows: Int, _ columns: Int) {
        let planes = 3
        let size = rows * columns
        let source = AffineWarpTests.bytes(planes * size)
        for map in AffineWarpTests.maps(rows, columns) {
            let fromBytes = AffineWarp.warp(source, planes: planes, rows: rows, columns: columns, by: map)
            let fromFloats = AffineWarp.warp(source.map(Float.init), planes: planes, rows: rows, columns: columns, by: map)
            var expected: [Double] = []
            var forC = vc_affine(xx: map.xx, xy: map.xy, x0: map.x0, yx: map.yx, yy: map.yy, y0: map.y0)
            for plane in 0..<planes {
                var out = [Double](repeating: .nan, count: size)
                vc_reference_warp(
                    &forC, Int32(rows), Int32(columns), source[plane * size..<(plane + 1) * size].map(Double.init), &out)
                expected += out
            }
            // Shares are rounded to floats once, and four products of them with up to 255 are added.
            let error = zip(fromFloats, expected).map { abs(Double($0) - $1) }.max() ?? .nan
            #expect(error <= 1e-4)
            let rounding = zip(fromBytes, expected).map { abs(Double($0) - $1) }.max() ?? .nan
            #expect(rounding <= 0.5 + 1e-4)
        }
    }

    /// Nothing changes, to the bit; floats of any size and sign, too.
    @Test(arguments: sizes)
    func identity(_ rows: Int, _ columns: Int) {
        let source = AffineWarpTests.bytes(2 * rows * columns)
        #expect(AffineWarp.warp(source, planes: 2, rows: rows, columns: columns, by: .identity) == source)
        let floats = source.enumerated().map { ($0 % 3 == 0 ? -1 : 1) * (Float($1) + 0.1) * ($0 % 5 == 0 ? 1e36 : 1e-30) }
        #expect(AffineWarp.warp(floats, planes: 2, rows: rows, columns: columns, by: .identity) == floats)
        for map in [
            AffineMap.turning(degrees: 0, rows: rows, columns: columns),
            AffineMap.resizing(rows: rows, columns: columns, toTop: 0, left: 0, rows: rows, columns: columns),
            AffineMap.mirror(columns: columns).after(.mirror(columns: columns)),
        ] {
            #expect(map.isIdentity)
        }
    }

    @Test(arguments: sizes)
    func mirroring(_ rows: Int, _ columns: Int) {
        let source = AffineWarpTests.bytes(rows * columns)
        let mirror = AffineMap.mirror(columns: columns)
        let once = AffineWarp.warp(source, planes: 1, rows: rows, columns: columns, by: mirror)
        for row in 0..<rows {
            for column in 0..<columns { #expect(once[row * columns + column] == source[row * columns + columns - 1 - column]) }
        }
        #expect(AffineWarp.warp(once, planes: 1, rows: rows, columns: columns, by: mirror) == source)
    }

    /// A quarter turn counter-clockwise takes the right column to the top row.
    @Test func quarterTurn() {
        let source: [Float] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        let turned = AffineWarp.warp(source, planes: 1, rows: 3, columns: 3, by: .turning(degrees: 90, rows: 3, columns: 3))
        let error = relativeError(turned, [3, 6, 9, 2, 5, 8, 1, 4, 7].map(Double.init))
        #expect(error <= 1e-6)
    }

    /// A part of a slope is a gentler slope: value = 10 row + 2 column at the place each pixel comes from.
    @Test func partOfASlope() {
        let (rows, columns) = (12, 20)
        let slope = (0..<rows * columns).map { Float(10 * ($0 / columns) + 2 * ($0 % columns)) }
        let map = AffineMap.resizing(rows: rows, columns: columns, toTop: 3, left: 4, rows: 6, columns: 5)
        let part = AffineWarp.warp(slope, planes: 1, rows: rows, columns: columns, by: map)
        let expected = (0..<rows * columns).map { place -> Double in
            10 * (3 + (Double(place / columns) + 0.5) * 6 / 12 - 0.5) + 2 * (4 + (Double(place % columns) + 0.5) * 5 / 20 - 0.5)
        }
        let error = relativeError(part, expected)
        #expect(error <= 1e-6)
    }
}
