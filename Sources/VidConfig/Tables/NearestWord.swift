/// The word closest to a misspelt one; nil if all differ in more than a third of their letters, and in more than two, or in all letters of
/// one of them.
package func nearestWord(to word: String, among words: [String]) -> String? {
    let word = Array(word.lowercased().unicodeScalars.prefix(64))
    let ranked = words.map { (word: $0, distance: editDistance(word, Array($0.lowercased().unicodeScalars))) }
    guard let nearest = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    let length = max(word.count, nearest.word.unicodeScalars.count)
    return nearest.distance <= max(2, length / 3) && nearest.distance < min(word.count, nearest.word.unicodeScalars.count)
        ? nearest.word : nil
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other
/// (the optimal string alignment distance).
package func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var beforePrevious = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    for i in a.indices {
        var current = [i + 1]
        for j in b.indices {
            var distance = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                distance = min(distance, beforePrevious[j - 1] + 1)
            }
            current.append(distance)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[b.count]
}

/// The words as `"a", "b", "c"`.
func quotedList(_ words: [String]) -> String {
    words.map { "\"\($0)\"" }.joined(separator: ", ")
}
