import VidSystem

/// The extents of a row-major tensor, outermost first, at most five of them; held inline, without a heap allocation.
///
/// Axis letters used throughout: N frames, H rows, W columns, C channels, K filters, B clips, T steps, F features, U units.
package struct Shape: Equatable, Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
    package static let maximumRank = 5

    package let rank: Int
    private var extents: (Int, Int, Int, Int, Int)

    package init(_ dimensions: [Int]) {
        precondition(dimensions.count <= Shape.maximumRank, "rank \(dimensions.count) is over \(Shape.maximumRank)")
        precondition(dimensions.allSatisfy { $0 >= 0 }, "negative extent in \(dimensions)")
        rank = dimensions.count
        func extent(_ axis: Int) -> Int { axis < dimensions.count ? dimensions[axis] : 1 }
        extents = (extent(0), extent(1), extent(2), extent(3), extent(4))
    }

    package init(arrayLiteral elements: Int...) { self.init(elements) }

    package subscript(axis: Int) -> Int {
        precondition(axis >= 0 && axis < rank, "axis \(axis) of a shape of rank \(rank)")
        return switch axis {
        case 0: extents.0
        case 1: extents.1
        case 2: extents.2
        case 3: extents.3
        default: extents.4
        }
    }

    /// The number of elements; 1 for rank 0. It stops at `Size.most`.
    package var count: Int {
        Size.product(Size.product(extents.0, extents.1), Size.product(Size.product(extents.2, extents.3), extents.4))
    }

    package var dimensions: [Int] { (0..<rank).map { self[$0] } }

    /// The last axis.
    package var last: Int { rank == 0 ? 1 : self[rank - 1] }

    /// The shape without its first axis.
    package var dropFirst: Shape { Shape(Array(dimensions.dropFirst())) }

    /// The shape with another axis in front.
    package func prepending(_ extent: Int) -> Shape { Shape([extent] + dimensions) }

    package var description: String { "(" + dimensions.map(String.init).joined(separator: ", ") + ")" }

    package static func == (a: Shape, b: Shape) -> Bool { a.rank == b.rank && a.extents == b.extents }

    package func hash(into hasher: inout Hasher) { hasher.combine(dimensions) }
}
