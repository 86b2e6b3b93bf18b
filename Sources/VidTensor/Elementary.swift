import VidSystem

// The C library's elementary functions under names of our own, so that no other file need choose between C libraries.

/// e to the power `x`.
package func exponential(_ x: Double) -> Double { exp(x) }

/// The natural logarithm of `x`.
package func logarithm(_ x: Double) -> Double { log(x) }

/// The logarithm of `x` to base 10.
package func decimalLogarithm(_ x: Double) -> Double { log10(x) }

/// The cosine of `x` radians.
package func cosine(_ x: Double) -> Double { cos(x) }

/// The sine of `x` radians.
package func sine(_ x: Double) -> Double { sin(x) }

/// `base` to the power `exponent`.
package func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
