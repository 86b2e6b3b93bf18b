/// The range of a number, each end included or not.
struct NumberBounds: Sendable {
    private var lower: Double
    private var includesLower: Bool
    private var upper: Double?

    /// `lower <= x`.
    static func atLeast(_ lower: Double) -> NumberBounds { NumberBounds(lower: lower, includesLower: true, upper: nil) }

    /// `lower < x`.
    static func above(_ lower: Double) -> NumberBounds { NumberBounds(lower: lower, includesLower: false, upper: nil) }

    /// `0 <= x < 1`.
    static let share = NumberBounds(lower: 0, includesLower: true, upper: 1)

    func contains(_ number: Double) -> Bool {
        (includesLower ? number >= lower : number > lower) && upper.map { number < $0 } != false
    }

    var summary: String {
        "a number " + (includesLower ? "of at least \(brief(lower))" : "above \(brief(lower))")
            + (upper.map { " and below \(brief($0))" } ?? "")
    }

    var schema: JSONNode {
        var schema: JSONNode = ["type": "number", includesLower ? "minimum" : "exclusiveMinimum": .number(lower)]
        if let upper { schema.set("exclusiveMaximum", .number(upper)) }
        return schema
    }

    /// 1 instead of 1.0.
    private func brief(_ number: Double) -> String {
        Int64(exactly: number).map(\.description) ?? number.description
    }
}
