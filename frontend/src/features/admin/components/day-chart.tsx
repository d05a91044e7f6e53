import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';

import type { Usage } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useReducedMotion } from '@/shared/lib/hooks';

import styles from './day-chart.module.css';

type Day = Usage['days'][number];

interface Props {
  days: readonly Day[];
  label: string;
  series: readonly {
    name: Exclude<keyof Day, 'date'>;
    label: string;
    tone: 'accent' | 'ok' | 'warn' | 'bad';
  }[];
}

/** Two figures by day as stacked bars, with the same numbers as a table for screen readers. */
export function DayChart({ days, label, series }: Props) {
  const { t, format } = useI18n();
  const still = useReducedMotion();
  return (
    <figure aria-label={label}>
      <ul className={styles.legend} aria-hidden="true">
        {series.map((entry) => (
          <li key={entry.name}>
            <span style={{ background: `var(--chart-${entry.tone})` }} />
            {entry.label}
          </li>
        ))}
      </ul>
      <div className={styles.chart} aria-hidden="true">
        <ResponsiveContainer
          width="100%"
          height="100%"
          initialDimension={{ width: 400, height: 240 }}
        >
          <BarChart
            data={[...days]}
            margin={{ top: 4, right: 0, bottom: 0, left: -18 }}
            barCategoryGap="22%"
            accessibilityLayer={false}
          >
            <CartesianGrid vertical={false} stroke="var(--border)" />
            <XAxis
              dataKey="date"
              tickFormatter={(date: string) => format.shortDay(date)}
              tickLine={false}
              axisLine={false}
              tick={{ fill: 'var(--text-3)', fontSize: 12 }}
              minTickGap={24}
            />
            <YAxis
              allowDecimals={false}
              tickLine={false}
              axisLine={false}
              tick={{ fill: 'var(--text-3)', fontSize: 12 }}
            />
            <Tooltip
              cursor={{ fill: 'var(--hover)' }}
              labelFormatter={(date) => (typeof date === 'string' ? format.shortDay(date) : '')}
              contentStyle={{
                background: 'var(--surface)',
                border: '1px solid var(--border)',
                borderRadius: 10,
                fontSize: 13,
              }}
              itemStyle={{ color: 'var(--text)' }}
            />
            {series.map((entry, index) => (
              <Bar
                key={entry.name}
                dataKey={entry.name}
                name={entry.label}
                stackId="all"
                fill={`var(--chart-${entry.tone})`}
                radius={index === series.length - 1 ? [3, 3, 0, 0] : 0}
                isAnimationActive={!still}
                animationDuration={400}
              />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </div>
      <table className="visually-hidden">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">{t('usage.day')}</th>
            {series.map((entry) => (
              <th key={entry.name} scope="col">
                {entry.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map((day) => (
            <tr key={day.date}>
              <th scope="row">{format.shortDay(day.date)}</th>
              {series.map((entry) => (
                <td key={entry.name}>{day[entry.name]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
