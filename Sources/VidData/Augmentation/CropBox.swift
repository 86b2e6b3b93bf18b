import RealModule
import VidConfig
import VidTensor

/// A rectangle of a frame, in whole pixels.
package struct CropBox: Sendable, Equatable {
    package let top: Int
    package let left: Int
    package let rows: Int
    package let columns: Int

    package init(top: Int, left: Int, rows: Int, columns: Int) {
        self.top = top
        self.left = left
        self.rows = rows
        self.columns = columns
    }

    private static let tries = 10

    /// Draws a box as torchvision's RandomResizedCrop does: its area is a share from `scale` to 1 of the frame's, its ratio of columns
    /// to rows is the frame's times a factor from 1 / `ratio` to `ratio` (uniform in the logarithm), its sides are rounded, and its
    /// place is uniform. Returns the first of ten tries that fits into the frame, else the whole frame, as torchvision's fallback
    /// does if the frame's own ratio is allowed.
    ///
    /// Always draws the words of ten tries, four each: area, ratio, row, column. A scale of 1 gives the whole frame.
    package static func random(_ configuration: RandomResizedCropConfiguration, rows: Int, columns: Int, _ random: inout RandomGenerator)
        -> CropBox
    {
        var found: CropBox?
        let widest = Double.log(configuration.ratio)
        for _ in 0..<tries {
            let share = configuration.scale + (1 - configuration.scale) * Double(random.uniform())
            let factor = Double.exp(widest * (2 * Double(random.uniform()) - 1))
            // (rows, columns) of a share of the frame with its own ratio, widened by the factor.
            let side = (share * factor).squareRoot()
            let across = (Double(columns) * side).rounded(.toNearestOrEven)
            let down = (Double(rows) * side / factor).rounded(.toNearestOrEven)
            let fits = across >= 1 && down >= 1 && across <= Double(columns) && down <= Double(rows)
            let box = fits ? CropBox(top: 0, left: 0, rows: Int(down), columns: Int(across)) : whole(rows: rows, columns: columns)
            let top = random.place(rows - box.rows + 1)
            let left = random.place(columns - box.columns + 1)
            if fits, found == nil { found = CropBox(top: top, left: left, rows: box.rows, columns: box.columns) }
        }
        guard configuration.scale < 1, let found else { return whole(rows: rows, columns: columns) }
        return found
    }

    package static func whole(rows: Int, columns: Int) -> CropBox { CropBox(top: 0, left: 0, rows: rows, columns: columns) }
}
