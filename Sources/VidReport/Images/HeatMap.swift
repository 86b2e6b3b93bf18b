/// A map of numbers of at least 0, such as Grad-CAM's map of one frame, coarser than its picture.
package struct HeatMap: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    /// (rows, columns), all at least 0.
    package let values: [Float]

    package init(rows: Int, columns: Int, values: [Float]) {
        precondition(
            rows >= 1 && columns >= 1 && values.count == rows * columns, "\(values.count) values for a map of \(rows) x \(columns)")
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    package var maximum: Float { values.reduce(0) { max($0, $1) } }

    /// The map resized by bilinear interpolation between the centres of its cells, constant beyond the outermost centres (as FFmpeg
    /// and PyTorch's `interpolate` without `align_corners`).
    package func resized(rows targetRows: Int, columns targetColumns: Int) -> [Float] {
        let down = HeatMap.places(targetRows, over: rows)
        let across = HeatMap.places(targetColumns, over: columns)
        var result: [Float] = []
        result.reserveCapacity(targetRows * targetColumns)
        for row in down {
            for column in across {
                func value(_ r: Int, _ c: Int) -> Float { values[r * columns + c] }
                let upper = value(row.first, column.first) * (1 - column.share) + value(row.first, column.second) * column.share
                let lower = value(row.second, column.first) * (1 - column.share) + value(row.second, column.second) * column.share
                result.append(upper * (1 - row.share) + lower * row.share)
            }
        }
        return result
    }

    /// For each of `count` pixels: the two cells around it and the weight of the second.
    private static func places(_ count: Int, over cells: Int) -> [(first: Int, second: Int, share: Float)] {
        (0..<count).map { pixel in
            let place = min(max((Float(pixel) + 0.5) * Float(cells) / Float(count) - 0.5, 0), Float(cells - 1))
            let first = Int(place)
            return (first, min(first + 1, cells - 1), place - Float(first))
        }
    }

    /// The picture `rgb` (rows, columns, 3) under the map; hotter regions hide more of the picture.
    ///
    /// - Parameter maximum: the value of the hottest colour; 0 returns the picture unchanged.
    package func laid(over rgb: [UInt8], rows: Int, columns: Int, maximum: Float) -> [UInt8] {
        precondition(rgb.count == rows * columns * 3, "\(rgb.count) bytes are no \(rows) x \(columns) x 3")
        guard maximum > 0 else { return rgb }
        var result = rgb
        for (pixel, value) in resized(rows: rows, columns: columns).enumerated() {
            let heat = min(max(value / maximum, 0), 1)
            let colour = HeatColours.colour(heat)
            let cover = HeatMap.mostCover * heat.squareRoot()
            let parts = [colour.red, colour.green, colour.blue]
            for channel in 0..<3 {
                let under = Float(rgb[3 * pixel + channel])
                result[3 * pixel + channel] = UInt8((under * (1 - cover) + parts[channel] * cover).rounded())
            }
        }
        return result
    }

    /// The opacity of the hottest colour.
    private static let mostCover: Float = 0.7
}

/// The colour map "inferno" of Smith and van der Walt (matplotlib, CC0). Its lightness rises evenly from black to pale yellow, so that
/// it works in grey and for colour-blind people.
package enum HeatColours {
    /// Red, green and blue, 0 to 255, for a heat from 0 to 1.
    package static func colour(_ heat: Float) -> (red: Float, green: Float, blue: Float) {
        let place = min(max(heat, 0), 1) * Float(stops.count - 1)
        let first = min(Int(place), stops.count - 2)
        let share = place - Float(first)
        let (a, b) = (stops[first], stops[first + 1])
        return (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share, a.2 + (b.2 - a.2) * share)
    }

    /// matplotlib's table at every sixteenth.
    private static let stops: [(Float, Float, Float)] = [
        (0, 0, 4), (11, 7, 36), (33, 12, 74), (61, 9, 101), (87, 16, 110), (113, 25, 110),
        (138, 34, 106), (163, 44, 97), (188, 55, 84), (210, 70, 68), (228, 90, 49), (241, 115, 29),
        (249, 142, 9), (252, 172, 17), (249, 203, 53), (242, 234, 105), (252, 255, 164),
    ]
}
