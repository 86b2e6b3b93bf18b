import CKernels
import RealModule

/// A map from places of an output frame to places of its source, in pixels from the centre of the first pixel:
/// column = xx x + xy y + x0 and row = yx x + yy y + y0 of output column x and row y.
package struct AffineMap: Sendable, Equatable {
    package var xx: Double
    package var xy: Double
    package var x0: Double
    package var yx: Double
    package var yy: Double
    package var y0: Double

    package init(xx: Double, xy: Double, x0: Double, yx: Double, yy: Double, y0: Double) {
        self.xx = xx
        self.xy = xy
        self.x0 = x0
        self.yx = yx
        self.yy = yy
        self.y0 = y0
    }

    package static let identity = AffineMap(xx: 1, xy: 0, x0: 0, yx: 0, yy: 1, y0: 0)

    package var isIdentity: Bool { self == .identity }

    /// This map applied to the result of `first`.
    package func after(_ first: AffineMap) -> AffineMap {
        AffineMap(
            xx: xx * first.xx + xy * first.yx, xy: xx * first.xy + xy * first.yy, x0: xx * first.x0 + xy * first.y0 + x0,
            yx: yx * first.xx + yy * first.yx, yy: yx * first.xy + yy * first.yy, y0: yx * first.x0 + yy * first.y0 + y0)
    }

    /// Exchanges left and right in frames of `columns`.
    package static func mirror(columns: Int) -> AffineMap {
        AffineMap(xx: -1, xy: 0, x0: Double(columns - 1), yx: 0, yy: 1, y0: 0)
    }

    /// The box at (`top`, `left`) of `boxRows` x `boxColumns` resized to `rows` x `columns`: edges on edges, as
    /// `torch.nn.functional.interpolate(align_corners=False)` and most libraries do.
    package static func resizing(rows: Int, columns: Int, toTop top: Int, left: Int, rows boxRows: Int, columns boxColumns: Int)
        -> AffineMap
    {
        let across = Double(boxColumns) / Double(columns)
        let down = Double(boxRows) / Double(rows)
        return AffineMap(
            xx: across, xy: 0, x0: Double(left) + 0.5 * across - 0.5, yx: 0, yy: down, y0: Double(top) + 0.5 * down - 0.5)
    }

    /// A rotation, counter-clockwise as seen, about the centre of frames of `rows` x `columns`.
    package static func turning(degrees: Double, rows: Int, columns: Int) -> AffineMap {
        let angle = degrees * Double.pi / 180
        let (c, s) = (Double.cos(angle), Double.sin(angle))
        let (x, y) = (Double(columns - 1) / 2, Double(rows - 1) / 2)
        return AffineMap(xx: c, xy: -s, x0: x - c * x + s * y, yx: s, yy: c, y0: y - s * x - c * y)
    }

    fileprivate var forC: vc_affine { vc_affine(xx: xx, xy: xy, x0: x0, yx: yx, yy: yy, y0: y0) }
}

/// Resamples frames bilinearly along an affine map; places outside the source get the nearest pixel of its edge.
///
/// Pixels at whole positions are copied bit for bit.
package enum AffineWarp {
    /// `planes` planes of `rows` x `columns`, each warped by the same map. Bytes are rounded.
    package static func warp(_ source: [UInt8], planes: Int, rows: Int, columns: Int, by map: AffineMap) -> [UInt8] {
        warp(source, planes, rows, columns, map, vc_warp_row_bytes)
    }

    /// The same for floats.
    package static func warp(_ source: [Float], planes: Int, rows: Int, columns: Int, by map: AffineMap) -> [Float] {
        warp(source, planes, rows, columns, map, vc_warp_row_floats)
    }

    /// Rows whose places are computed at a time: the part of a plane that they read stays in the cache.
    private static let blockRows = 16

    private typealias RowKernel<Value> = (
        UnsafePointer<Value>, Int32, Int32, UnsafePointer<Int32>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Value>
    ) -> Void

    private static func warp<Value>(
        _ source: [Value], _ planes: Int, _ rows: Int, _ columns: Int, _ map: AffineMap, _ row: RowKernel<Value>
    ) -> [Value] {
        precondition(source.count == planes * rows * columns, "\(source.count) values for \(planes) planes of \(rows)x\(columns)")
        var forC = map.forC
        return [Value](unsafeUninitializedCapacity: source.count) { target, count in
            count = source.count
            guard let out = target.baseAddress else { return }
            source.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: blockRows * columns) { place in
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * blockRows * columns) { weights in
                        guard let place = place.baseAddress, let across = weights.baseAddress else { return }
                        let down = across + blockRows * columns
                        for first in stride(from: 0, to: rows, by: blockRows) {
                            let block = first..<min(rows, first + blockRows)
                            for outRow in block {
                                let at = (outRow - first) * columns
                                vc_warp_places(&forC, Int32(rows), Int32(columns), Int32(outRow), place + at, across + at, down + at)
                            }
                            for plane in 0..<planes {
                                let frame = plane * rows * columns
                                for outRow in block {
                                    let at = (outRow - first) * columns
                                    row(
                                        base + frame, Int32(rows), Int32(columns), place + at, across + at, down + at,
                                        out + frame + outRow * columns)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
