extension String {
    /// The text in at most `limit` columns: where it is longer, "…" stands for its middle. The end, where a file's own name and
    /// extension are, keeps the larger part.
    package func shortened(toColumns limit: Int) -> String {
        guard columns > limit else { return self }
        guard limit > 1 else { return limit == 1 ? "…" : "" }
        let room = limit - 1
        var (head, headColumns) = ("", 0)
        for character in self {
            guard headColumns + character.columns <= room / 3 else { break }
            head.append(character)
            headColumns += character.columns
        }
        var (tail, tailColumns): ([Character], Int) = ([], 0)
        for character in self.reversed() {
            guard headColumns + tailColumns + character.columns <= room else { break }
            tail.append(character)
            tailColumns += character.columns
        }
        return head + "…" + String(tail.reversed())
    }

    /// With spaces behind it, at least `width` columns.
    package func padded(toColumns width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }
}
