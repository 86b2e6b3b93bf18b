import VidTensor

/// Changes of a frame in space, all in one map: a part of it is resized to the whole, then mirrored, then turned about its centre.
///
/// Where the turned frame reaches past the part it shows what the source has there, and past the source's edge the pixels of
/// the edge.
package struct FrameGeometry: Sendable, Equatable {
    package var crop: CropBox
    package var isMirrored: Bool
    /// Degrees, counter-clockwise as seen.
    package var rotation: Double

    package init(crop: CropBox, isMirrored: Bool, rotation: Double) {
        self.crop = crop
        self.isMirrored = isMirrored
        self.rotation = rotation
    }

    /// From places of the changed frame of `rows` x `columns` to places of the source of the same size.
    package func map(rows: Int, columns: Int) -> AffineMap {
        let toCrop = AffineMap.resizing(
            rows: rows, columns: columns, toTop: crop.top, left: crop.left, rows: crop.rows, columns: crop.columns)
        let mirror = isMirrored ? AffineMap.mirror(columns: columns) : .identity
        return toCrop.after(mirror.after(.turning(degrees: rotation, rows: rows, columns: columns)))
    }
}
