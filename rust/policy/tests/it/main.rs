//! The policy crate against the sample state's rules in `examples/california/policy`.

#[cfg(test)]
mod bundle;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod load;
#[cfg(test)]
mod memo;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod subjects;
#[cfg(test)]
mod survey;
#[cfg(test)]
mod vectors;
mod words;
