import VidData

/// One taking of one clip of a part.
package struct Draw: Sendable, Hashable {
    /// Its place in the part.
    package let clip: Int
    package let view: ClipView

    package init(clip: Int, view: ClipView) {
        self.clip = clip
        self.view = view
    }
}
